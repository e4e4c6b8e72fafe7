// The writing end of a link against a real reading end on the same thread: what goes where, what counts against the budget,
// what may be retried.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { IllegalStateError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import { POLL, RESPONSE, SEND } from '../../../src/ring/frames/kinds.ts';
import {
  createRing,
  openRing,
  RETURNED_WORD,
  SPILLED_WORD,
  TAIL_WORD,
  WAITING_WORD,
} from '../../../src/ring/layout.ts';
import { type LinkLimits, LinkReader, LinkWriter } from '../../../src/ring/link.ts';
import { RingConsumer, RingProducer } from '../../../src/ring/ring-buffer.ts';
import { chooseSeed, fillPattern, findMismatch, Random } from './support/random.ts';

let ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports) port.close();
  ports = [];
});

function openLink(capacity: number, limits: Partial<LinkLimits> = {}, buffer = createRing(capacity)) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const all = { spillBytes: 32, spillBudgetBytes: 1024, ...limits };
  return {
    i32: new Int32Array(buffer),
    writer: new LinkWriter(new RingProducer(openRing(buffer)), port1, all),
    reader: new LinkReader(new RingConsumer(openRing(buffer)), port2),
  };
}

function put(writer: LinkWriter, n: number, bytes: number, expectedBytes = bytes): boolean {
  if (!writer.begin(expectedBytes)) return false;
  if (bytes > writer.capacity) writer.grow(bytes, 0);
  fillPattern(writer.u8, writer.base, bytes, n);
  if (writer.commit(SEND, n, -n, bytes)) return true;
  writer.abandon();
  return false;
}

function take(reader: LinkReader, n: number, bytes: number): void {
  assert.ok(reader.next(), `message ${n} is there`);
  assert.deepEqual([reader.kind, reader.requestId, reader.detail, reader.byteLength], [SEND, n, -n | 0, bytes]);
  assert.equal(reader.base % 8, 0);
  assert.equal(findMismatch(reader.u8, reader.base, bytes, n), -1, `message ${n} in place`);
  const owned = reader.own();
  reader.release();
  assert.equal(owned.byteLength, bytes);
  assert.equal(findMismatch(owned.u8, owned.base, bytes, n), -1, `message ${n} owned`);
}

describe('a message', () => {
  test('of up to spillBytes is in the ring, and a larger one on the heap', () => {
    const { writer, reader } = openLink(256);
    const ringMemory = writer.u8;
    assert.ok(writer.begin(32));
    assert.equal(writer.u8, ringMemory);
    fillPattern(writer.u8, writer.base, 32, 1);
    assert.ok(writer.commit(SEND, 1, -1, 32));
    assert.equal(writer.spilledBytesOutstanding, 0);
    take(reader, 1, 32);

    assert.ok(writer.begin(33));
    assert.notEqual(writer.u8, ringMemory);
    assert.equal(writer.base, 0);
    assert.ok(writer.capacity >= 33);
    fillPattern(writer.u8, writer.base, 33, 2);
    assert.ok(writer.commit(SEND, 2, -2, 33));
    assert.equal(writer.u8, ringMemory, 'a moved buffer is let go');
    assert.equal(writer.spilledBytesOutstanding, 40);
    take(reader, 2, 33);
    assert.equal(writer.spilledBytesOutstanding, 0);
  });

  test('that outgrows its claim extends in place, then moves to the heap, and keeps what was written', () => {
    const { writer, reader } = openLink(256, { spillBytes: 64 });
    assert.ok(writer.begin(8));
    const { base } = writer;
    fillPattern(writer.u8, writer.base, 8, 1);
    writer.grow(20, 8);
    assert.equal(writer.base, base);
    assert.ok(writer.capacity >= 20 && writer.capacity <= 64);
    fillPattern(writer.u8, writer.base, 20, 1);
    writer.grow(200, 20, 300);
    assert.equal(writer.base, 0);
    assert.ok(writer.capacity >= 300);
    assert.equal(findMismatch(writer.u8, 0, 20, 1), -1);
    fillPattern(writer.u8, writer.base, 200, 1);
    assert.ok(writer.commit(SEND, 1, -1, 200));
    take(reader, 1, 200);
  });

  test('that finds no contiguous room in the ring grows on the heap and comes back into the ring', () => {
    const { writer, reader } = openLink(128, { spillBytes: 48 });
    assert.ok(put(writer, 1, 48));
    take(reader, 1, 48);
    assert.ok(writer.begin(32));
    fillPattern(writer.u8, writer.base, 32, 2);
    writer.grow(48, 32);
    assert.ok(writer.base > 0, '64 bytes are left to the end');
    assert.ok(writer.commit(SEND, 2, -2, 8));
    assert.ok(writer.begin(16));
    fillPattern(writer.u8, writer.base, 16, 3);
    writer.grow(40, 16);
    assert.equal(writer.base, 0, '40 bytes are left to the end');
    fillPattern(writer.u8, writer.base, 40, 3);
    assert.ok(writer.commit(SEND, 3, -3, 40));
    assert.equal(writer.spilledBytesOutstanding, 0);
    take(reader, 2, 8);
    take(reader, 3, 40);
  });

  test('on the heap that stays small goes through the ring', () => {
    const { writer, reader } = openLink(256);
    assert.ok(put(writer, 1, 10, 1000));
    assert.equal(writer.spilledBytesOutstanding, 0);
    take(reader, 1, 10);
  });

  test('that uses little of a big buffer is moved in a smaller buffer', () => {
    const { writer, reader } = openLink(256, { spillBudgetBytes: 1 << 20 });
    assert.ok(put(writer, 1, 100, 10_000));
    assert.equal(writer.spilledBytesOutstanding, 104);
    take(reader, 1, 100);
    assert.ok(put(writer, 2, 9000, 10_000));
    assert.equal(writer.spilledBytesOutstanding, 10_000);
    take(reader, 2, 9000);
  });

  test('without a body needs no begin', () => {
    const { writer, reader } = openLink(64, { spillBytes: 16 });
    for (let n = 0; n < 4; n++) assert.ok(writer.commitEmpty(POLL, n, 9));
    assert.equal(writer.commitEmpty(POLL, 4, 9), false);
    for (let n = 0; n < 4; n++) {
      assert.ok(reader.next());
      assert.deepEqual([reader.kind, reader.requestId, reader.detail, reader.byteLength], [POLL, n, 9, 0]);
      assert.equal(reader.own().byteLength, 0);
    }
    reader.release();
    assert.ok(writer.commitEmpty(POLL, 4, 9));
  });

  test('that is abandoned leaves no trace', () => {
    const { writer, reader } = openLink(256);
    for (const bytes of [16, 500]) {
      assert.ok(writer.begin(bytes));
      assert.equal(writer.isOpen, true);
      writer.abandon();
      assert.equal(writer.isOpen, false);
    }
    writer.abandon();
    assert.equal(writer.position, 0);
    assert.equal(writer.spilledBytesOutstanding, 0);
    assert.equal(reader.next(), false);
    assert.ok(put(writer, 1, 16));
    take(reader, 1, 16);
  });
});

describe('a full link', () => {
  test('refuses a message without room in the ring', () => {
    const { writer, reader } = openLink(64, { spillBytes: 16 });
    assert.ok(put(writer, 1, 16));
    assert.ok(put(writer, 2, 16));
    for (const bytes of [0, 16, 100]) {
      assert.equal(writer.hasRoom(bytes), false);
      assert.equal(writer.begin(bytes), false);
      assert.equal(writer.isOpen, false);
    }
    take(reader, 1, 16);
    assert.equal(writer.hasRoom(16), true);
    assert.equal(writer.hasRoom(100), true);
    assert.ok(put(writer, 3, 100));
    take(reader, 2, 16);
    take(reader, 3, 100);
    assert.equal(writer.isEmpty(), true);
    assert.equal(reader.position, writer.position);
    assert.equal(writer.releasedPosition, writer.position);
  });

  test('keeps a message open that outgrew its claim, and commits it once there is room', () => {
    const { writer, reader } = openLink(128, { spillBytes: 48 });
    assert.ok(put(writer, 1, 48));
    assert.ok(writer.begin(24));
    fillPattern(writer.u8, writer.base, 24, 2);
    writer.grow(100, 24);
    fillPattern(writer.u8, writer.base, 100, 2);
    assert.ok(writer.capacity >= 100);
    assert.ok(writer.commit(SEND, 2, -2, 100), 'its frame needs less than it had claimed');
    assert.ok(writer.begin(8));
    writer.grow(30, 0);
    fillPattern(writer.u8, writer.base, 30, 3);
    assert.equal(writer.base, 0, 'no contiguous room');
    assert.equal(writer.commit(SEND, 3, -3, 30), false);
    assert.equal(writer.isOpen, true);
    assert.equal(findMismatch(writer.u8, writer.base, 30, 3), -1);
    take(reader, 1, 48);
    assert.ok(writer.commit(SEND, 3, -3, 30));
    take(reader, 2, 100);
    take(reader, 3, 30);
  });

  test('refuses what exceeds the spill budget until the reader has released enough', () => {
    const { writer, reader } = openLink(256, { spillBudgetBytes: 200 });
    assert.ok(put(writer, 1, 120));
    assert.equal(writer.hasRoom(81), false);
    assert.equal(writer.begin(81), false);
    assert.ok(put(writer, 2, 80));
    assert.equal(writer.begin(33), false);
    assert.ok(put(writer, 3, 32), 'small ones do not count');
    assert.ok(reader.next());
    assert.equal(writer.begin(33), false, 'looking frees nothing');
    reader.release();
    assert.equal(writer.spilledBytesOutstanding, 80);
    assert.ok(writer.begin(120));
    writer.abandon();
  });

  test('lets one message exceed the whole budget, alone', () => {
    const { writer, reader } = openLink(256, { spillBudgetBytes: 64 });
    assert.ok(put(writer, 1, 1000));
    assert.equal(writer.begin(33), false);
    take(reader, 1, 1000);
    assert.ok(put(writer, 2, 1000));
    take(reader, 2, 1000);
  });

  test('holds back a message that outgrew the budget, and commits it later', () => {
    const { writer, reader } = openLink(256, { spillBudgetBytes: 200 });
    assert.ok(put(writer, 1, 120));
    assert.ok(writer.begin(40));
    writer.grow(100, 0);
    fillPattern(writer.u8, writer.base, 100, 2);
    assert.equal(writer.commit(SEND, 2, -2, 100), false);
    assert.equal(writer.isOpen, true);
    take(reader, 1, 120);
    assert.ok(writer.commit(SEND, 2, -2, 100));
    take(reader, 2, 100);
  });

  test('counts across the wrap of the counters', () => {
    const buffer = createRing(256, 2 ** 32 - 64);
    const words = new Int32Array(buffer);
    words[SPILLED_WORD] = -100;
    words[RETURNED_WORD] = -100;
    const { writer, reader } = openLink(256, { spillBudgetBytes: 200 }, buffer);
    for (let n = 0; n < 10; n++) {
      assert.ok(put(writer, n, 64));
      assert.equal(writer.spilledBytesOutstanding, 64);
      assert.equal(writer.begin(160), false);
      take(reader, n, 64);
      assert.equal(writer.spilledBytesOutstanding, 0);
    }
    assert.equal(words[SPILLED_WORD], 540);
  });

  test('tells the reader that it waits', () => {
    const { i32, writer, reader } = openLink(64, { spillBytes: 16 });
    assert.equal(reader.isWriterWaiting, false);
    writer.setWaiting(true);
    assert.equal(reader.isWriterWaiting, true);
    assert.equal(i32[WAITING_WORD], 1);
    writer.setWaiting(false);
    assert.equal(reader.isWriterWaiting, false);
  });
});

describe('misuse of a writer', () => {
  test('is refused and harms nothing', () => {
    const { writer, reader } = openLink(256);
    assert.throws(() => writer.commit(SEND, 1, 1, 0), /without an open message/);
    assert.throws(() => writer.grow(10, 0), IllegalStateError);
    for (const bytes of [-1, Number.NaN, 2 ** 31]) assert.throws(() => writer.begin(bytes), IllegalStateError);
    assert.ok(writer.begin(16));
    assert.throws(() => writer.begin(16), /another message is open/);
    assert.throws(() => writer.commitEmpty(POLL, 1, 1), IllegalStateError);
    for (const bytes of [-1, 17, Number.NaN]) assert.throws(() => writer.commit(SEND, 1, 1, bytes), IllegalStateError);
    for (const bytes of [Number.NaN, 2 ** 31]) assert.throws(() => writer.grow(bytes, 0), IllegalStateError);
    fillPattern(writer.u8, writer.base, 16, 1);
    assert.ok(writer.commit(SEND, 1, -1, 16));
    take(reader, 1, 16);
  });

  test('with an unknown kind leaves no claim behind', () => {
    const { writer, reader } = openLink(256);
    assert.throws(() => writer.commitEmpty(99, 1, 1), IllegalStateError);
    for (const bytes of [16, 100]) {
      assert.ok(writer.begin(500));
      fillPattern(writer.u8, writer.base, bytes, 1);
      if (bytes <= 32) {
        assert.throws(() => writer.commit(99, 1, -1, bytes), IllegalStateError);
        assert.ok(writer.commit(SEND, 1, -1, bytes));
        take(reader, 1, bytes);
      } else {
        assert.throws(() => writer.commit(99, 1, -1, bytes), IllegalStateError);
        writer.abandon();
      }
    }
    assert.ok(put(writer, 2, 100));
    take(reader, 2, 100);
  });

  test('with impossible limits is refused', () => {
    for (const limits of [{ spillBytes: 113 }, { spillBytes: -1 }, { spillBytes: 1.5 }, { spillBudgetBytes: -1 }]) {
      assert.throws(() => openLink(256, limits), IllegalStateError, JSON.stringify(limits));
    }
  });
});

test('a reader that returns more than was spilled is refused', () => {
  const { i32, writer } = openLink(256);
  i32[RETURNED_WORD] = 8;
  assert.throws(() => writer.spilledBytesOutstanding, RingCorruptError);
  assert.ok(put(writer, 1, 16), 'small messages do not look');
});

test('agrees with a queue over random schedules, across every wrap', (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 40; round++) {
    const capacity = 64 << random.below(3);
    const buffer = createRing(capacity, 2 ** 32 - 8 * (1 + random.below(200)));
    const words = new Int32Array(buffer);
    words[SPILLED_WORD] = -random.below(2000);
    words[RETURNED_WORD] = words[SPILLED_WORD]!;
    const spillBytes = random.below(capacity / 2 - 16 + 1);
    const { writer, reader } = openLink(capacity, { spillBytes, spillBudgetBytes: random.below(600) }, buffer);
    const queue: [n: number, bytes: number][] = [];
    for (let n = 0; n < 300; n++) {
      const bytes = random.below(random.isOneIn(4) ? 400 : 48);
      const expected = random.isOneIn(2) ? bytes : random.below(random.isOneIn(4) ? 400 : 48);
      const hadRoom = writer.hasRoom(expected);
      if (put(writer, n, bytes, expected)) {
        assert.ok(hadRoom, 'hasRoom tells what begin does');
        queue.push([n, bytes]);
      } else {
        assert.ok(queue.length > 0, 'an empty link takes every message');
      }
      while (queue.length > 0 && random.isOneIn(2)) take(reader, ...queue.shift()!);
    }
    while (queue.length > 0) take(reader, ...queue.shift()!);
    assert.equal(reader.next(), false);
    assert.equal(writer.spilledBytesOutstanding, 0);
    assert.equal(words[TAIL_WORD]! >>> 0, reader.position);
  }
});

test('a response keeps its kind through the port', () => {
  const { writer, reader } = openLink(256);
  assert.ok(writer.begin(100));
  assert.ok(writer.commit(RESPONSE, 0xffffffff, -1, 100));
  assert.ok(reader.next());
  assert.deepEqual([reader.kind, reader.requestId, reader.detail], [RESPONSE, 0xffffffff, -1]);
});
