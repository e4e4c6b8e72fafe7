// Owns the spans of OpenTelemetry for records that are sent and batches that are processed: it listens on the tracing channels. The
// caller passes the module, so no package of it is imported. Application thread. Must not change a record, only add headers.

import { tracingChannel } from 'node:diagnostics_channel';
import { consumeChannelName, produceChannelName } from '../../common/channel-names.ts';
import { KafkaClientError } from '../../common/errors/errors.ts';
import {
  type MessagingFacts,
  type MessagingNames,
  messagingAttributes,
  messagingNamesOf,
  type SpanAttributes,
  spanName,
} from './messaging-conventions.ts';

/** A span has at most so many links; a batch may have any number of records. It is the default limit of the SDKs. */
const maxLinks = 128;
/** SpanKind and SpanStatusCode of `@opentelemetry/api`. */
const kinds = { producer: 3, consumer: 4 } as const;
const statusOfErrors = 2;

interface UsedSpan {
  setAttributes(attributes: SpanAttributes): unknown;
  setStatus(status: { code: number; message: string }): unknown;
  recordException(error: Error): void;
  end(): void;
}

interface Link {
  context: never;
}

interface Setter {
  set(carrier: Carrier, key: string, value: string): void;
}

interface Getter {
  keys(carrier: Carrier): string[];
  get(carrier: Carrier, key: string): string | undefined;
}

/** Headers on their way: text only, as propagators need it. */
type Carrier = Map<string, string>;

/** The used part of the module `@opentelemetry/api`. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: { kind: number; attributes: SpanAttributes; links: Link[] }): unknown;
    };
    setSpan(context: never, span: never): unknown;
    getSpanContext(context: never): unknown;
  };
  readonly context: { active(): unknown };
  readonly propagation: {
    inject(context: never, carrier: Carrier, setter: Setter): void;
    extract(context: never, carrier: Carrier, getter: Getter): unknown;
  };
  readonly ROOT_CONTEXT: unknown;
}

export interface SpansOptions {
  /** Default: what OTEL_SEMCONV_STABILITY_OPT_IN asks for. */
  names?: MessagingNames;
}

interface Sent {
  readonly topic: string;
  readonly record: { readonly key?: unknown; readonly value?: unknown; readonly partition?: number | null | undefined };
  readonly headers: (readonly [string, string])[];
  readonly result?: { readonly partition: number; readonly offset: { toString(): string } | null };
  readonly error?: unknown;
}

interface Processed {
  readonly topic: string;
  readonly partition: number;
  readonly groupId: string | null;
  readonly batch: Iterable<RecordWithHeaders> & {
    readonly count: number;
    readonly firstOffset: { toString(): string };
  };
  readonly result?: string;
  readonly error?: unknown;
}

interface RecordWithHeaders {
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

const setter: Setter = { set: (carrier, key, value) => carrier.set(key, value) };
const getter: Getter = { keys: (carrier) => [...carrier.keys()], get: (carrier, key) => carrier.get(key) };

/**
 * Makes a span for each record of `producer.send` and for each batch of a consumer in this thread, for all clients. A record carries the
 * context of its span in its headers; the span of a batch has links to those of its records, at most 128.
 *
 *     import * as otel from '@opentelemetry/api';
 *     const stop = traceToOpenTelemetry(otel);
 *
 * Attributes follow the conventions for messaging; OTEL_SEMCONV_STABILITY_OPT_IN chooses between their former and present names.
 * @returns a function that ends it
 */
export function traceToOpenTelemetry(
  api: OpenTelemetryApi,
  { names = messagingNamesOf(process.env.OTEL_SEMCONV_STABILITY_OPT_IN) }: SpansOptions = {},
): () => void {
  const stops = [
    listen(produceChannelName, new SentSpans(api, names)),
    listen(consumeChannelName, new BatchSpans(api, names)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

interface Spans<Trace extends object> {
  begin(trace: Trace): void;
  end(trace: Trace): void;
}

function listen<Trace extends object>(name: string, spans: Spans<Trace>): () => void {
  const channel = tracingChannel<unknown, Trace>(name);
  const nothing = (): void => {};
  const listeners = {
    start: (trace: Trace) => spans.begin(trace),
    end: nothing,
    asyncStart: nothing,
    asyncEnd: (trace: Trace) => spans.end(trace),
    // A send that is refused at once has no asyncEnd.
    error: (trace: Trace) => spans.end(trace),
  };
  channel.subscribe(listeners);
  return () => void channel.unsubscribe(listeners);
}

abstract class OpenSpans<Trace extends object> implements Spans<Trace> {
  protected readonly api: OpenTelemetryApi;
  protected readonly names: MessagingNames;
  readonly #spans = new WeakMap<Trace, UsedSpan>();

  constructor(api: OpenTelemetryApi, names: MessagingNames) {
    this.api = api;
    this.names = names;
  }

  abstract begin(trace: Trace): void;

  /** What is known at the end, besides an error. */
  abstract outcome(trace: Trace): MessagingFacts;

  /** `error` and `asyncEnd` may both come: the first one ends the span. */
  end(trace: Trace & { readonly error?: unknown }): void {
    const span = this.#spans.get(trace);
    if (span === undefined) return;
    this.#spans.delete(trace);
    const { error } = trace;
    const errorType = error === undefined ? undefined : typeOf(error);
    const facts = { ...this.outcome(trace), ...(errorType !== undefined && { errorType }) };
    span.setAttributes(messagingAttributes(facts, this.names));
    if (error !== undefined) {
      const thrown = error instanceof Error ? error : new Error(String(error));
      span.recordException(thrown);
      span.setStatus({ code: statusOfErrors, message: thrown.message });
    }
    span.end();
  }

  protected open(trace: Trace, facts: MessagingFacts, kind: number, links: Link[]): unknown {
    const options = { kind, attributes: messagingAttributes(facts, this.names), links };
    const span = this.api.trace.getTracer('offthread-kafka').startSpan(spanName(facts, this.names), options);
    this.#spans.set(trace, span as UsedSpan);
    return span;
  }
}

class SentSpans extends OpenSpans<Sent> {
  begin(trace: Sent): void {
    const span = this.open(trace, this.#facts(trace), kinds.producer, []);
    const context = this.api.trace.setSpan(this.api.context.active() as never, span as never);
    const carrier: Carrier = new Map();
    this.api.propagation.inject(context as never, carrier, setter);
    for (const [key, value] of carrier) trace.headers.push([key, value]);
  }

  outcome(trace: Sent): MessagingFacts {
    const { result } = trace;
    const offset = result?.offset ?? null;
    return {
      ...this.#facts(trace),
      ...(result !== undefined && { partition: result.partition }),
      ...(offset !== null && { offset: Number(offset.toString()) }),
    };
  }

  #facts({ topic, record: { key, value, partition } }: Sent): MessagingFacts {
    return {
      operation: 'send',
      topic,
      ...(typeof key === 'string' && { key }),
      ...(typeof partition === 'number' && { partition }),
      ...((value === null || value === undefined) && { isTombstone: true }),
    };
  }
}

class BatchSpans extends OpenSpans<Processed> {
  begin(trace: Processed): void {
    this.open(trace, this.outcome(trace), kinds.consumer, this.#linksOf(trace.batch));
  }

  outcome({ topic, partition, groupId, batch }: Processed): MessagingFacts {
    const offset = Number(batch.firstOffset.toString());
    const group = groupId === null ? {} : { groupId };
    return { operation: 'process', topic, partition, offset, count: batch.count, ...group };
  }

  /** The contexts of the first records that have one. */
  #linksOf(batch: Iterable<RecordWithHeaders>): Link[] {
    const { propagation, trace, ROOT_CONTEXT } = this.api;
    const links: Link[] = [];
    let looked = 0;
    for (const { headers } of batch) {
      looked++;
      if (headers.length > 0) {
        const carrier: Carrier = new Map();
        for (const { key, value } of headers) if (value !== null) carrier.set(key, Buffer.from(value).toString());
        const context = trace.getSpanContext(propagation.extract(ROOT_CONTEXT as never, carrier, getter) as never);
        if (context !== undefined) links.push({ context: context as never });
      }
      if (looked >= maxLinks) break;
    }
    return links;
  }
}

function typeOf(error: unknown): string {
  if (error instanceof KafkaClientError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
