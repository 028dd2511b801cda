import { describe, expect, it } from '@jest/globals';
import { HELP, readCommandLine } from '../../gateway/command-line.js';
import { readGatewayConfiguration } from '../../gateway/configuration.js';

describe('The command line', () => {
  it('says what the environment would say otherwise', () => {
    const said = [
      '--supergraph',
      'graph.graphql',
      '--port',
      '4321',
      '--host',
      '::1',
      '--workers',
      '3',
      '--development',
    ];
    expect(readCommandLine(said, '/somewhere')).toEqual({
      help: false,
      environment: {
        SUPERGRAPH: '/somewhere/graph.graphql',
        PORT: '4321',
        HOST: '::1',
        WORKERS: '3',
        NODE_ENV: 'development',
      },
      urls: {},
    });
    expect(readCommandLine([])).toEqual({ help: false, environment: {}, urls: {} });
  });

  it('takes a supergraph from a server as it is', () => {
    const { environment } = readCommandLine(['--supergraph', 'https://registry.example/graph?tag=x'], '/somewhere');
    expect(environment['SUPERGRAPH']).toBe('https://registry.example/graph?tag=x');
  });

  it('says where subgraphs are, by names that no variable could have, and wins over the environment', () => {
    const line = readCommandLine(['--subgraph', 'a-b.c=http://x/graphql?a=b', '--subgraph', 'users=https://y']);
    expect(line.urls).toEqual({ 'a-b.c': 'http://x/graphql?a=b', users: 'https://y' });
    const configuration = readGatewayConfiguration(
      { SUBGRAPH_URL_USERS: 'http://z', SUBGRAPH_URL_FX: 'http://f' },
      line.urls,
    );
    expect(configuration.urls).toEqual({ ...line.urls, fx: 'http://f' });
    expect(configuration.requiredUrls).toEqual(['a-b.c', 'users']);
  });

  it.each([
    [['--port', '70000'], '--port: "70000" is no number from 0 to 65535'],
    [['--port', '1e3'], '--port'],
    [['--workers', '0'], '--workers: "0" is no number from 1 to 256'],
    [['--subgraph', 'users'], '--subgraph: "users" is not NAME=URL'],
    [['--subgraph', '=http://x'], 'is not NAME=URL'],
    [['--subgraph', 'users=ftp://x'], '--subgraph: "ftp://x" is no http or https URL'],
    [['--subgraph', 'a=http://x', '--subgraph', 'a=http://y'], '--subgraph: a is given twice'],
    [['--supergraph', ''], '--supergraph: a file or a URL is missing'],
    [['--supergraph'], "Option '--supergraph <value>' argument missing"],
    [['--supergraf', 'x'], "Unknown option '--supergraf'"],
    [['graph.graphql'], "Unexpected argument 'graph.graphql'"],
  ])('is refused with a clear word: %j', (args, words) => {
    expect(() => readCommandLine(args)).toThrow(words);
    expect(() => readCommandLine(args)).toThrow('--help');
  });

  it('is refused with all that is wrong at once', () => {
    expect(() => readCommandLine(['--port', 'x', '--workers', 'y', '--subgraph', 'z'])).toThrow(
      /--port.*\n--workers.*\n--subgraph/,
    );
  });

  it('explains every flag that there is', () => {
    const flags = [...HELP.matchAll(/^ {2}--(\w+)( \S+)?/gm)].map(([, flag = '', value]) => ({ flag, value }));
    expect(flags).toHaveLength(7);
    for (const { flag, value } of flags) {
      const text = { supergraph: 'x', port: '1', host: 'x', subgraph: 'a=http://b', workers: '1' }[flag];
      expect(value === undefined).toBe(text === undefined);
      expect(() => readCommandLine([`--${flag}`, ...(text === undefined ? [] : [text])])).not.toThrow();
    }
  });
});

describe('The environment', () => {
  it('may say nothing: then everyone is a stranger, and nobody is vouched for', () => {
    expect(readGatewayConfiguration({})).toMatchObject({
      signIn: null,
      signingKey: null,
      workers: 1,
      development: false,
    });
    expect(readGatewayConfiguration({ JWKS_URL: '', JWT_ISSUER: '', INTERNAL_SIGNING_KEY: '' })).toMatchObject({
      signIn: null,
      signingKey: null,
    });
  });

  it('says of sign-in all or nothing: half of it would let everybody be a stranger', () => {
    expect(() => readGatewayConfiguration({ JWKS_URL: 'https://sign-in.example/jwks' })).toThrow('JWT_ISSUER');
    expect(() => readGatewayConfiguration({ JWT_ISSUER: 'https://sign-in.example' })).toThrow('JWKS_URL');
    const signIn = { JWKS_URL: 'https://sign-in.example/jwks', JWT_ISSUER: 'https://sign-in.example' };
    expect(readGatewayConfiguration(signIn).signIn).toEqual({
      jwksUrl: signIn.JWKS_URL,
      issuer: signIn.JWT_ISSUER,
      audience: 'sojourn',
    });
  });

  it("has OpenTelemetry's own names for where traces go", () => {
    const tracing = (environment: Record<string, string>) => readGatewayConfiguration(environment).tracing;
    expect(tracing({})).toBeNull();
    const general = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    expect(tracing(general)).toEqual({ url: 'http://collector:4318/v1/traces', trustClients: false });
    const whole = { ...general, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:1/x', TRACE_TRUST_CLIENTS: 'true' };
    expect(tracing(whole)).toEqual({ url: 'http://traces:1/x', trustClients: true });
    expect(tracing({ ...general, OTEL_SDK_DISABLED: 'true' })).toBeNull();
  });

  it('opens nothing for a misspelt word', () => {
    expect(readGatewayConfiguration({ NODE_ENV: 'develpment' }).development).toBe(false);
    expect(() => readGatewayConfiguration({ WORKERS: 'many' })).toThrow('WORKERS');
  });
});
