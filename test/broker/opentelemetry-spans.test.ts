// Spans of records that are sent and of batches that are processed, with their attributes, and the context that travels in headers.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import * as otel from '@opentelemetry/api';
import {
  type Consumer,
  KafkaClient,
  type MessagingNames,
  type PlaceInLog,
  type Producer,
  traceToOpenTelemetry,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

class RecordedSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly otel.Link[];
  readonly context: otel.SpanContext;
  readonly exceptions: Error[] = [];
  status: otel.SpanStatus | null = null;
  ends = 0;

  constructor(name: string, options: otel.SpanOptions, number: number) {
    this.name = name;
    this.kind = options.kind!;
    this.attributes = { ...options.attributes };
    this.links = options.links ?? [];
    const spanId = number.toString(16).padStart(16, '0');
    this.context = { traceId: spanId.padStart(32, 'a'), spanId, traceFlags: 1 };
  }

  spanContext(): otel.SpanContext {
    return this.context;
  }

  setAttributes(attributes: object): this {
    Object.assign(this.attributes, attributes);
    return this;
  }

  setStatus(status: otel.SpanStatus): this {
    this.status = status;
    return this;
  }

  recordException(error: Error): void {
    this.exceptions.push(error);
  }

  end(): void {
    this.ends++;
  }
}

/** W3C trace context, as far as it is needed here. */
const propagator: otel.TextMapPropagator = {
  inject: (context, carrier, setter) => {
    const span = otel.trace.getSpanContext(context);
    if (span !== undefined) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
  },
  extract: (context, carrier, getter) => {
    const [, traceId, spanId] = String(getter.get(carrier, 'traceparent')).split('-');
    if (traceId === undefined || spanId === undefined) return context;
    return otel.trace.setSpanContext(context, { traceId, spanId, traceFlags: 1, isRemote: true });
  },
  fields: () => ['traceparent'],
};

let broker: EmbeddedBroker;
let client: KafkaClient;
let producer: Producer;
let spans: RecordedSpan[];
let stop: () => void = () => {};

before(async () => {
  broker = await startEmbeddedBroker({ topics: { spans: {} } });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
  producer = await client.producer({ maxRequestSizeBytes: 10_000 });
  const tracer = {
    startSpan: (name: string, options: otel.SpanOptions) => {
      const span = new RecordedSpan(name, options, spans.length + 1);
      spans.push(span);
      return span;
    },
  };
  otel.trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as otel.Tracer });
  otel.propagation.setGlobalPropagator(propagator);
});

beforeEach(() => {
  spans = [];
});
afterEach(() => stop());

after(async () => {
  otel.trace.disable();
  otel.propagation.disable();
  await client?.close();
  await broker?.close();
});

function trace(names?: MessagingNames): void {
  stop = traceToOpenTelemetry(otel, names === undefined ? {} : { names });
}

async function readFrom(offset: PlaceInLog): Promise<Consumer> {
  return client.consumer({ assign: [{ topic: 'spans', partition: 0, offset }] });
}

describe('spans', () => {
  test('of a record and of the batch that it comes in are linked by its headers', async () => {
    trace('present');
    const { offset } = await producer.send('spans', { key: 'k', value: 'v', headers: { own: '1' } });
    const [sent] = spans;
    assert.equal(sent!.name, 'send spans');
    assert.equal(sent!.kind, otel.SpanKind.PRODUCER);
    assert.equal(sent!.ends, 1);
    assert.equal(sent!.status, null);
    const place = { 'messaging.destination.partition.id': '0', 'messaging.kafka.offset': Number(offset) };
    assert.deepEqual(sent!.attributes, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'spans',
      'messaging.kafka.message.key': 'k',
      ...place,
    });
    const consumer = await readFrom(BigInt(String(offset)));
    const batch = await consumer.poll(120_000);
    const processed = spans[1]!;
    assert.equal(processed.ends, 0, 'it is open until the batch is done');
    batch!.done();
    assert.equal(processed.name, 'process spans');
    assert.equal(processed.kind, otel.SpanKind.CONSUMER);
    assert.equal(processed.ends, 1);
    assert.deepEqual(
      processed.links.map(({ context }) => context.spanId),
      [sent!.context.spanId],
    );
    assert.equal(processed.attributes['messaging.batch.message_count'], 1);
    assert.equal(processed.attributes['messaging.kafka.offset'], Number(offset));
    assert.equal('messaging.consumer.group.name' in processed.attributes, false, 'it has no group');
    await consumer.close();
  });

  test('of a record that fails says why, and ends once', async () => {
    trace('present');
    await assert.rejects(producer.send('spans', { value: 'x'.repeat(20_000) }).then());
    const [sent] = spans;
    assert.equal(sent!.ends, 1);
    assert.equal(sent!.status!.code, otel.SpanStatusCode.ERROR);
    assert.equal(sent!.attributes['error.type'], 'KAFKA_RECORD_TOO_LARGE');
    assert.equal(sent!.exceptions[0]!.name, 'RecordTooLargeError');
  });

  test('have the former names unless OTEL_SEMCONV_STABILITY_OPT_IN asks for others', async () => {
    const before = process.env.OTEL_SEMCONV_STABILITY_OPT_IN;
    try {
      for (const [optIn, present, former] of [
        [undefined, false, true],
        ['messaging', true, false],
        ['http,messaging/dup', true, true],
      ] as const) {
        if (optIn === undefined) delete process.env.OTEL_SEMCONV_STABILITY_OPT_IN;
        else process.env.OTEL_SEMCONV_STABILITY_OPT_IN = optIn;
        spans = [];
        trace();
        await producer.send('spans', { value: 'v' });
        stop();
        assert.equal('messaging.operation.name' in spans[0]!.attributes, present, String(optIn));
        assert.equal('messaging.operation' in spans[0]!.attributes, former, String(optIn));
      }
    } finally {
      if (before === undefined) delete process.env.OTEL_SEMCONV_STABILITY_OPT_IN;
      else process.env.OTEL_SEMCONV_STABILITY_OPT_IN = before;
    }
  });

  test('are not made any more after stop', async () => {
    trace();
    stop();
    await producer.send('spans', { value: 'v' });
    assert.deepEqual(spans, []);
  });
});
