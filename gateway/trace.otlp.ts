import type { IncomingHttpHeaders } from 'node:http';
import {
  type Attributes,
  type Context,
  createTraceState,
  DiagLogLevel,
  diag,
  isSpanContextValid,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { SECOND } from '../subgraphs/kernel/clock.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { Facts, Span, Tracer } from './trace.js';

export interface OtlpOptions {
  /** Where spans are sent, by OTLP over HTTP: a whole URL. */
  readonly url: string;
  /** Whether a client's `traceparent` is believed: whoever is may fill our traces, and decide what is kept. */
  readonly trustClients: boolean;
  readonly logger: Logger;
}

// A collector that does not answer must not keep a gateway from stopping.
const FAREWELL_MS = 5 * SECOND;

/**
 * Traces by OpenTelemetry. Name and attributes of the service, sampling and limits come from the variables that
 * OpenTelemetry gives them (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` …).
 */
export class OtlpTracer implements Tracer {
  private readonly provider: BasicTracerProvider;
  private readonly tracer: OtelTracer;

  constructor(private readonly options: OtlpOptions) {
    const { logger, url } = options;
    const warn = (message: string) => logger.warn({ cause: message }, 'traces are not sent');
    const silent = () => undefined;
    const say = { error: warn, warn, info: silent, debug: silent, verbose: silent };
    diag.setLogger(say, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    this.provider = new BasicTracerProvider({
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': 'gateway' }))
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
    });
    this.tracer = this.provider.getTracer('gateway');
  }

  begin(name: string, facts?: Facts, arrived?: IncomingHttpHeaders): Span {
    const caller = arrived && this.options.trustClients ? callerIn(arrived) : null;
    const parent = caller ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
    const kind = arrived ? SpanKind.SERVER : SpanKind.INTERNAL;
    return new OtlpSpan(
      this.tracer,
      this.tracer.startSpan(name, { kind, attributes: facts, startTime: moment() }, parent),
    );
  }

  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FAREWELL_MS);
    await Promise.race([this.provider.shutdown(), late]).catch(() => undefined);
    clearTimeout(timer);
  }
}

class OtlpSpan implements Span {
  private ended = false;
  private context: Context | null = null;

  constructor(
    private readonly tracer: OtelTracer,
    private readonly span: OtelSpan,
  ) {}

  child(name: string, facts?: Facts, others: readonly (Span | undefined)[] = []): Span {
    this.context ??= trace.setSpan(ROOT_CONTEXT, this.span);
    const links = others.flatMap((other) => (other instanceof OtlpSpan ? [{ context: other.span.spanContext() }] : []));
    // Facts of a subgraph are facts of a call to it.
    const kind = facts?.['subgraph.name'] === undefined ? SpanKind.INTERNAL : SpanKind.CLIENT;
    const attributes: Attributes | undefined = facts;
    return new OtlpSpan(
      this.tracer,
      this.tracer.startSpan(name, { kind, attributes, links, startTime: moment() }, this.context),
    );
  }

  rename(name: string): void {
    if (!this.ended) this.span.updateName(name);
  }

  set(facts: Facts): void {
    if (!this.ended) this.span.setAttributes(facts);
  }

  note(name: string, facts?: Facts): void {
    if (!this.ended) this.span.addEvent(name, facts);
  }

  fail(code: string): void {
    if (!this.ended) this.span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.span.end(moment());
  }

  get headers(): Readonly<Record<string, string>> {
    const { traceId, spanId, traceFlags, traceState } = this.span.spanContext();
    const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
    const tracestate = traceState?.serialize();
    return tracestate ? { traceparent, tracestate } : { traceparent };
  }
}

// Later versions may say more after these four.
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The span by which something was asked; null where none is named, or not as W3C Trace Context says. */
export function callerIn(headers: IncomingHttpHeaders): SpanContext | null {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return null;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === '00' && more !== undefined) return null;
  const state = typeof tracestate === 'string' ? { traceState: createTraceState(tracestate) } : {};
  // Only the first flag is known: sampled.
  const caller = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true, ...state };
  return isSpanContextValid(caller) ? caller : null;
}

/**
 * In milliseconds of the epoch, by the one clock that never goes back: left to itself each span begins at a whole
 * millisecond, and children end after their parents.
 */
function moment(): number {
  return performance.timeOrigin + performance.now();
}
