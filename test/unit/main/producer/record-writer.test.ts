// The bytes of records in the link, whatever the alignment of their values.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { LINGER_AS_CONFIGURED, TrackKind } from '../../../../src/common/record-tracking.ts';
import { RecordWriter } from '../../../../src/main/producer/record-writer.ts';
import { readSigned, varintEnd } from '../../../../src/protocol/flat/varints.ts';
import { type RecordFrame, readRecord } from '../../../../src/ring/frames/record-frames.ts';
import { createRing, openRing } from '../../../../src/ring/layout.ts';
import { LinkReader, LinkWriter } from '../../../../src/ring/link.ts';
import { RingConsumer, RingProducer } from '../../../../src/ring/ring-buffer.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function open() {
  const buffer = createRing(64 * 1024);
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const limits = { spillBytes: 16 * 1024, spillBudgetBytes: 64 * 1024 };
  const link = new LinkWriter(new RingProducer(openRing(buffer)), port1, limits);
  return { writer: new RecordWriter(link, 1 << 20), reader: new LinkReader(new RingConsumer(openRing(buffer)), port2) };
}

const fields = {
  topicHandle: 0,
  kind: TrackKind.NONE,
  trackId: 0,
  partition: -1,
  lingerMs: LINGER_AS_CONFIGURED,
  timestampMs: Number.NaN,
};

/** Key and value of the record that comes next. */
function next(reader: LinkReader): { key: string | null; value: string | null } {
  assert.ok(reader.next());
  const frame = { ...fields, keyLength: 0, from: 0, to: 0 } satisfies RecordFrame;
  readRecord(reader, frame, Number.NaN);
  let at = frame.from;
  const part = (): string | null => {
    const length = readSigned(reader.u8, at);
    const from = varintEnd;
    at = from + Math.max(length, 0);
    return length < 0 ? null : Buffer.from(reader.u8.slice(from, at)).toString('latin1');
  };
  const found = { key: part(), value: part() };
  assert.equal(readSigned(reader.u8, at), 0, 'no headers');
  assert.equal(varintEnd, frame.to);
  reader.release();
  return found;
}

test('values of every alignment and size are written as they are, after many of one alignment too', () => {
  const { writer, reader } = open();
  const memory = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
  const offsets = [...new Array<number>(100).fill(0), ...Array.from({ length: 64 }, (_, i) => i % 8), 3, 3, 3, 0, 5];
  for (const size of [0, 1, 31, 32, 63, 64, 100, 512, 513, 8191, 8192, 9000]) {
    for (const key of [null, Buffer.from('k'), memory.subarray(5, 105)]) {
      for (const offset of offsets) {
        const value = memory.subarray(offset, offset + size);
        assert.ok(writer.write(fields, key, value, null));
        assert.deepEqual(next(reader), { key: key?.toString('latin1') ?? null, value: value.toString('latin1') });
      }
    }
  }
});
