/**
 * The page at `/`. In development Apollo Sandbox, which a script of Apollo's brings: it needs the internet in the
 * developer's browser, so a plain form stands in for it where that does not load. Both ask `/graphql` of their own
 * origin. Apollo Server's own landing page cannot be used: it sends everything to the page's own path.
 */
export function landingPage(development: boolean): string {
  return development ? SANDBOX : PRODUCTION;
}

const HEAD = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>GraphQL</title>
<style>
  body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #1b2240 }
  main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  textarea { width: 100%; box-sizing: border-box; font: 13px/1.4 ui-monospace, monospace }
  pre { background: #f4f6fb; padding: 1rem; overflow: auto; white-space: pre-wrap }
  #sandbox { width: 100vw; height: 100vh } [hidden] { display: none }
</style></head>`;

const PRODUCTION = `${HEAD}<body><main><h1>GraphQL</h1>
<p>This is a GraphQL endpoint: send operations to <code>/graphql</code>, by POST, graphql-ws or server-sent events.</p>
</main></body></html>`;

const SANDBOX = `${HEAD}<body>
<div id="sandbox"></div>
<main id="plain" hidden>
  <h1>GraphQL</h1>
  <p>Apollo Sandbox could not be loaded (it comes from the internet). This form sends to <code>/graphql</code> too,
  subscriptions included; with the internet back, <a href="/">reload</a> or use
  <a href="https://studio.apollographql.com/sandbox/explorer">Sandbox in Apollo's own pages</a>.</p>
  <form id="form">
    <p><label>Operation<textarea id="query" rows="12">query { __typename }</textarea></label></p>
    <p><label>Variables<textarea id="variables" rows="4">{}</textarea></label></p>
    <p><label>Authorization<textarea id="token" rows="2" placeholder="Bearer …"></textarea></label></p>
    <p><button>Run</button> <button type="button" id="stop">Stop</button></p>
  </form>
  <pre id="output"></pre>
</main>
<script src="https://embeddable-sandbox.cdn.apollographql.com/_latest/embeddable-sandbox.umd.production.min.js"
  onerror="showPlainForm()"></script>
<script>
  const endpoint = location.origin + '/graphql';
  function showPlainForm() {
    document.getElementById('sandbox').hidden = true;
    document.getElementById('plain').hidden = false;
  }
  if (window.EmbeddedSandbox) new window.EmbeddedSandbox({
    target: '#sandbox',
    initialEndpoint: endpoint,
    initialSubscriptionEndpoint: endpoint.replace(/^http/, 'ws'),
    endpointIsEditable: false,
    runTelemetry: false,
    initialState: { pollForSchemaUpdates: false },
  });
  const byId = (id) => document.getElementById(id);
  let running = new AbortController();
  byId('stop').onclick = () => running.abort();
  byId('form').onsubmit = async (event) => {
    event.preventDefault();
    running.abort();
    running = new AbortController();
    byId('output').textContent = '';
    try {
      const token = byId('token').value.trim();
      const answer = await fetch(endpoint, {
        method: 'POST',
        signal: running.signal,
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...(token && { authorization: token }) },
        body: JSON.stringify({ query: byId('query').value, variables: JSON.parse(byId('variables').value || '{}') }),
      });
      for await (const text of answer.body.pipeThrough(new TextDecoderStream()))
        byId('output').textContent += text.replace(/^(:|event:.*|data:)$/gm, '').replace(/^data: (.*)$/gm,
          (_, json) => JSON.stringify(JSON.parse(json), null, 2)).trim() + '\\n';
    } catch (error) {
      byId('output').textContent += error.name === 'AbortError' ? 'stopped' : error.message;
    }
  };
</script>
</body></html>`;
