// Every kind of frame: what its writer function is given, its reader function gives back, through a real link.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RingCorruptError } from '../../../src/common/errors/errors.ts';
import { HeapMemory, type MessageBytes } from '../../../src/common/memory.ts';
import { LINGER_WHILE_BUSY, TrackKind } from '../../../src/common/record-tracking.ts';
import { createAttachment, openNetworkEnd } from '../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../src/ring/doorbell.ts';
import * as client from '../../../src/ring/frames/client-frames.ts';
import * as consumer from '../../../src/ring/frames/consumer-frames.ts';
import { type Frame, FrameQueue, refuseFrame, writeFrame } from '../../../src/ring/frames/frame.ts';
import * as kinds from '../../../src/ring/frames/kinds.ts';
import * as calls from '../../../src/ring/frames/producer-call-frames.ts';
import * as records from '../../../src/ring/frames/record-frames.ts';
import type { LinkReader, LinkWriter } from '../../../src/ring/link.ts';
import { OwnedBytes } from '../../../src/ring/owned-bytes.ts';
import { createCounters } from '../../../src/state/counters.ts';

const limits = { requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 1 << 20 };
const { application, handle } = createAttachment(limits, createDoorbell(), createCounters());
const network = openNetworkEnd(handle);
const link = application.requests;
const reader = network.requests;
after(() => {
  application.close();
  network.close();
});

const maxId = 0xffff_ffff;
const int32s = [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1];
const error = { name: 'KafkaConnectionError', message: 'lost "x" \u20ac', code: 'KAFKA_CONNECTION' };
const raised = { error, place: { topic: 't', partition: 2 }, ticket: { place: 3, serial: 7 }, returns: -9 };
const bit64 = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);
const text = 'some flat bytes';

/** Opens a message whose body is `text`, behind a prefix. */
function open(writer: LinkWriter, prefixBytes = 0): number {
  assert.ok(writer.begin(prefixBytes + text.length));
  writer.u8.set(Buffer.from(text), writer.base + prefixBytes);
  return prefixBytes + text.length;
}

function textOf({ u8, base, byteLength }: MessageBytes, from = 0): string {
  return Buffer.from(u8.slice(base + from, base + byteLength)).toString();
}

const bytes = (): MessageBytes => {
  const memory = new HeapMemory();
  memory.u8.set(Buffer.from(text), 8);
  return { i32: memory.i32, u8: memory.u8, base: 8, byteLength: text.length };
};
const noBytes = new OwnedBytes(new Int32Array(0), new Uint8Array(0), 0, 0);

interface Case {
  write(writer: LinkWriter): boolean;
  read(from: LinkReader): unknown;
  readonly expected: unknown;
}

function framed<T>(frame: Frame, read: (from: LinkReader) => T, expected: T): Case {
  return { write: (writer) => writeFrame(writer, frame), read, expected };
}

function sendCase(frame: client.SendFrame): Case {
  return {
    write: (writer) => client.commitSend(writer, frame, open(writer, client.SEND_PREFIX_BYTES)),
    read: (from) => {
      const into = { requestId: 0, nodeId: 0, apiKey: 0, version: 0, timeoutMs: 0 };
      client.readSend(from, into);
      return { ...into, text: textOf(from, client.SEND_PREFIX_BYTES) };
    },
    expected: { ...frame, text },
  };
}

function recordCase(fields: records.RecordFields, keyLength: number, padBytes: number): Case {
  const prefixBytes = records.RECORD_PREFIX_BYTES + padBytes;
  return {
    write: (writer) => records.commitRecord(writer, fields, keyLength, padBytes, open(writer, prefixBytes)),
    read: (from) => {
      const into: records.RecordFrame = { ...fields, topicHandle: -2, trackId: 0, keyLength: 0, from: 0, to: 0 };
      into.timestampMs = -7;
      records.readRecord(from, into, Number.NaN);
      const { from: start, to: end, ...rest } = into;
      return { ...rest, text: Buffer.from(from.u8.slice(start, end)).toString() };
    },
    expected: { ...fields, keyLength, text },
  };
}

const runs = new records.DeliveredRunsBuilder();
runs.add(maxId, TrackKind.SINGLE, 3, 0);
runs.add(7, TrackKind.GROUP, 2 ** 31 - 1, 3);
const delivered = { topicHandle: 3, partition: 2 ** 31 - 1, offsetLow: -1, offsetHigh: 2 ** 31 - 1 };

function deliveredCase(fields: Omit<records.DeliveredFrame, 'runs'>): Case {
  return framed(
    records.deliveredFrame({ ...fields, runs: runs.build() }),
    (from) => {
      const { runs: told, ...rest } = records.takeDelivered(from);
      const rows = [0, 1].map((run) => [told.trackId(run), told.kind(run), told.count(run), told.position(run)]);
      return { ...rest, length: told.length, rows };
    },
    {
      ...fields,
      length: 2,
      rows: [
        [maxId, TrackKind.SINGLE, 3, 0],
        [7, TrackKind.GROUP, 2 ** 31 - 1, 3],
      ],
    },
  );
}

const offsets = { firstOffset: 0n, nextOffset: 2n ** 63n - 1n, highWatermark: 0xffff_ffffn, lastStableOffset: -1n };
const batch = { partition: 3, serial: 2 ** 31 - 1, count: 5, leaderEpoch: -1, ...offsets, returns: -9 };

const batchCase: Case = {
  write: (writer) => {
    const buffer = new ArrayBuffer(256);
    new Uint8Array(buffer).fill(0xff, 0, consumer.BATCH_PREFIX_BYTES);
    new Uint8Array(buffer).set(Buffer.from(text), consumer.BATCH_PREFIX_BYTES);
    const usedBytes = consumer.BATCH_PREFIX_BYTES + text.length;
    return consumer.writeConsumerBatch(writer, buffer, usedBytes, { place: 6, topicHandle: 4, ...batch });
  },
  read: (from) => {
    const frame = consumer.takeConsumerBatch(from);
    const { place, topicHandle, partition, serial, count, leaderEpoch, returns } = frame;
    return {
      ...{ place, topicHandle, partition, serial, count, leaderEpoch, returns },
      firstOffset: frame.firstOffset(bit64),
      nextOffset: frame.nextOffset(bit64),
      highWatermark: frame.highWatermark(bit64),
      lastStableOffset: frame.lastStableOffset(bit64),
      text: textOf(frame.body, consumer.BATCH_PREFIX_BYTES),
    };
  },
  expected: { place: 6, topicHandle: 4, ...batch, text },
};

const untracked = { topicHandle: 0, kind: TrackKind.NONE, trackId: 0, partition: -1, lingerMs: LINGER_WHILE_BUSY };
const transaction = { group: { groupId: 'g' }, offsets: [{ topic: 't', partition: 1, offset: '9223372036854775807' }] };

const cases: Record<keyof Omit<typeof kinds, 'PAD' | 'isFrameKind'>, readonly Case[]> = {
  SEND: [
    sendCase({ requestId: maxId, nodeId: -7, apiKey: 88, version: -1, timeoutMs: 2 ** 31 - 1 }),
    sendCase({ requestId: 0, nodeId: 2 ** 31 - 1, apiKey: 0, version: 17, timeoutMs: -1 }),
  ],
  POLL: [{ write: (writer) => client.writePoll(writer, maxId), read: client.readPoll, expected: maxId }],
  CONNECT: int32s.map((nodeId) => ({
    write: (writer) => client.writeConnect(writer, nodeId),
    read: client.readConnect,
    expected: nodeId,
  })),
  DISCONNECT: int32s.map((nodeId) => ({
    write: (writer) => client.writeDisconnect(writer, nodeId),
    read: client.readDisconnect,
    expected: nodeId,
  })),
  CONNECT_LANE: [
    {
      write: (writer) => client.writeConnectLane(writer, { brokerId: 5, lane: 'bulk' }),
      read: client.readConnectLane,
      expected: { brokerId: 5, lane: 'bulk' },
    },
  ],
  RESPONSE: [
    {
      write: (writer) => client.commitResponse(writer, maxId, open(writer)),
      read: (from) => {
        const { requestId, body } = client.takeResponse(from, { requestId: 0, body: noBytes });
        return [requestId, textOf(body)];
      },
      expected: [maxId, text],
    },
  ],
  SENT: [{ write: (writer) => client.writeSent(writer, maxId), read: client.takeSent, expected: maxId }],
  FAILURE: [
    {
      write: (writer) => client.writeFailure(writer, { requestId: maxId, nodeId: -1, error }),
      read: client.takeFailure,
      expected: { requestId: maxId, nodeId: -1, error },
    },
  ],
  METADATA: [
    {
      write: (writer) => client.writeMetadata(writer, { updateId: 8, body: bytes() }),
      read: (from) => {
        const { updateId, body } = client.takeMetadata(from);
        return [updateId, textOf(body)];
      },
      expected: [8, text],
    },
  ],
  POLLED: [{ write: (writer) => client.writePolled(writer, 3), read: client.takePolled, expected: 3 }],
  RECORD: [
    recordCase({ ...untracked, timestampMs: Number.NaN }, -1, 0),
    recordCase({ ...untracked, topicHandle: 9, timestampMs: 8_640_000_000_000_000 }, 0, 7),
    recordCase({ ...untracked, kind: TrackKind.GROUP, trackId: maxId, timestampMs: -1 }, 5, 3),
    recordCase({ ...untracked, kind: TrackKind.SINGLE, partition: 7, lingerMs: 20, timestampMs: 2 ** 32 - 1 }, 1, 1),
  ],
  TOPIC: [
    framed(records.topicFrame({ topicHandle: 2, name: 'a.b_c-1' }), records.readTopic, {
      topicHandle: 2,
      name: 'a.b_c-1',
    }),
  ],
  FLUSH: [framed(calls.flushFrame(maxId), calls.readFlush, maxId)],
  GROUP_END: [
    framed(records.groupEndFrame({ trackId: maxId, records: 12 }), records.readGroupEnd, {
      trackId: maxId,
      records: 12,
    }),
  ],
  TRANSACTION_BEGIN: [framed(calls.transactionBeginFrame(4), calls.readTransactionBegin, 4)],
  TRANSACTION_OFFSETS: [
    framed(
      calls.transactionOffsetsFrame({ callId: 5, beganBy: maxId, offsets: transaction }),
      calls.readTransactionOffsets,
      { callId: 5, beganBy: maxId, offsets: transaction },
    ),
  ],
  TRANSACTION_END: [true, false].map((isCommit) =>
    framed(calls.transactionEndFrame({ callId: 6, beganBy: maxId, isCommit }), calls.readTransactionEnd, {
      callId: 6,
      beganBy: maxId,
      isCommit,
    }),
  ),
  PRODUCER_CLOSE: [-1, 0, 2 ** 31 - 1].map((timeoutMs) =>
    framed(calls.producerCloseFrame({ callId: 7, timeoutMs }), calls.readProducerClose, { callId: 7, timeoutMs }),
  ),
  DELIVERED: [
    deliveredCase({ ...delivered, logAppendTimeMs: -1, error: null }),
    deliveredCase({ ...delivered, logAppendTimeMs: 1_700_000_000_123, error: { error } }),
    deliveredCase({ ...delivered, logAppendTimeMs: 0, error: { error, records: [[3, 'too long \u20ac']] } }),
  ],
  GROUP_DONE: [
    framed(records.groupDoneFrame({ trackId: maxId, failed: 2 }), records.takeGroupDone, { trackId: maxId, failed: 2 }),
  ],
  FLUSHED: [framed(calls.flushedFrame(8), calls.takeFlushed, 8)],
  TRANSACTION_DONE: [null, error].map((end) =>
    framed(calls.transactionDoneFrame({ callId: 9, error: end }), calls.takeTransactionDone, { callId: 9, error: end }),
  ),
  PRODUCER_FATAL: [framed(calls.producerFatalFrame(error), calls.takeProducerFatal, error)],
  PRODUCER_CLOSED: [framed(calls.producerClosedFrame(10), calls.takeProducerClosed, 10)],
  CONSUMER_CALL: [
    framed(consumer.consumerCallFrame({ callId: maxId, call: { op: 'unsubscribe' } }), consumer.takeConsumerCall, {
      callId: maxId,
      call: { op: 'unsubscribe' },
    }),
  ],
  CONSUMER_BATCH: [batchCase],
  CONSUMER_ANSWER: [
    framed(consumer.consumerAnswerFrame({ callId: 1, answer: null }), consumer.takeConsumerAnswer, {
      callId: 1,
      answer: null,
    }),
  ],
  CONSUMER_REFUSAL: [
    framed(consumer.consumerRefusalFrame({ callId: 2, error }), consumer.takeConsumerRefusal, { callId: 2, error }),
  ],
  CONSUMER_EVENT: [
    framed(consumer.consumerEventFrame({ type: 'rebalanced' } as never), consumer.takeConsumerEvent, {
      type: 'rebalanced',
    } as never),
  ],
  CONSUMER_TOPIC: [
    framed(consumer.consumerTopicFrame({ topicHandle: 1, name: 't' }), consumer.takeConsumerTopic, {
      topicHandle: 1,
      name: 't',
    }),
  ],
  CONSUMER_RAISE: [framed(consumer.consumerRaiseFrame(raised), consumer.takeConsumerRaise, raised)],
};

for (const [name, rows] of Object.entries(cases)) {
  test(`a ${name} frame returns the values that it was given`, () => {
    for (const { write, read, expected } of rows) {
      assert.ok(write(link));
      assert.ok(reader.next());
      assert.equal(reader.kind, (kinds as unknown as Record<string, number>)[name]);
      assert.deepEqual(read(reader), expected);
      reader.release();
      assert.ok(reader.isEmpty() && link.isEmpty());
    }
  });
}

test('kinds are distinct bytes, and only they can be committed', () => {
  const { PAD, isFrameKind, ...named } = kinds;
  const numbers: readonly number[] = Object.values(named);
  assert.equal(new Set(numbers).size, numbers.length);
  for (let kind = 0; kind < 256; kind++) assert.equal(isFrameKind[kind] === 1, numbers.includes(kind), `kind ${kind}`);
  assert.equal(isFrameKind[PAD], 0);
});

test('prefixes leave the message on a multiple of 8', () => {
  assert.equal(client.SEND_PREFIX_BYTES % 8, 0);
  assert.equal(records.RECORD_PREFIX_BYTES % 8, 0);
  assert.equal(consumer.BATCH_PREFIX_BYTES % 8, 0);
});

/** Reads a frame whose body nobody writes. */
function reading(kind: number, body: Uint8Array, read: (from: LinkReader) => unknown): () => void {
  return () => {
    assert.ok(writeFrame(link, { kind, requestId: 1, detail: 1, body }));
    assert.ok(reader.next());
    try {
      read(reader);
    } finally {
      reader.release();
    }
  };
}

test('a body that no writer function makes is a corrupt ring', () => {
  const send = { requestId: 0, nodeId: 0, apiKey: 0, version: 0, timeoutMs: 0 };
  const record: records.RecordFrame = { ...untracked, timestampMs: 0, keyLength: 0, from: 0, to: 0 };
  const short = new Uint8Array(8);
  assert.throws(
    reading(kinds.SEND, short, (from) => client.readSend(from, send)),
    RingCorruptError,
  );
  assert.throws(reading(kinds.CONNECT_LANE, Buffer.from('no lane!'), client.readConnectLane), RingCorruptError);
  assert.throws(reading(kinds.FAILURE, Buffer.from('{"name":'), client.takeFailure), RingCorruptError);
  assert.throws(reading(kinds.TOPIC, Buffer.from('no topic!'), records.readTopic), RingCorruptError);
  assert.throws(reading(kinds.CONSUMER_BATCH, short, consumer.takeConsumerBatch), RingCorruptError);
  assert.throws(
    reading(kinds.RECORD, short, (from) => records.readRecord(from, record, Number.NaN)),
    RingCorruptError,
  );
  const words = new Int32Array(8);
  words[3] = 3;
  const of = (): Uint8Array => new Uint8Array(words.buffer);
  assert.throws(
    reading(kinds.RECORD, of(), (from) => records.readRecord(from, record, Number.NaN)),
    /track kind 3/,
  );
  words[3] = 100 << 8;
  assert.throws(
    reading(kinds.RECORD, of(), (from) => records.readRecord(from, record, Number.NaN)),
    /begins 124 bytes into/,
  );
  words.fill(0);
  words[6] = 1000;
  assert.throws(reading(kinds.DELIVERED, of(), records.takeDelivered), /1000 runs/);
  words[6] = -1;
  assert.throws(reading(kinds.DELIVERED, of(), records.takeDelivered), RingCorruptError);
});

test('a frame that does not belong in a link is refused with its kind', () => {
  assert.ok(client.writePoll(link, 1));
  assert.ok(reader.next());
  assert.throws(() => refuseFrame(reader, 'a link of responses'), /a frame of kind 2 is in a link of responses/);
  reader.release();
});

test('frames without room wait in order', () => {
  const queue = new FrameQueue(link);
  const topic = (topicHandle: number): Frame => records.topicFrame({ topicHandle, name: 'x'.repeat(200) });
  let count = 0;
  while (queue.put(topic(count))) count++;
  assert.ok(count > 2);
  assert.equal(queue.length, 1);
  // The next one would find room for itself, and must not overtake.
  assert.equal(queue.put(calls.flushFrame(1)), false);
  const seen: number[] = [];
  const take = (): void => {
    assert.ok(reader.next());
    seen.push(reader.kind === kinds.FLUSH ? -1 : records.readTopic(reader).topicHandle);
    reader.release();
  };
  // Two, because one may be at the end of the ring, where the next ones need more.
  take();
  take();
  assert.equal(queue.flush(), 2);
  assert.equal(queue.length, 0);
  for (let i = 0; i < count; i++) take();
  assert.deepEqual(seen, [...Array(count + 1).keys(), -1]);
  assert.ok(reader.isEmpty());
});
