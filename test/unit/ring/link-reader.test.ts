// The reading end of a link: ownership of bodies, and ring and port that disagree.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { SEND } from '../../../src/ring/frames/kinds.ts';
import { createRing, FLAG_SPILLED, openRing, RETURNED_WORD } from '../../../src/ring/layout.ts';
import { LinkReader, LinkWriter } from '../../../src/ring/link.ts';
import { RingConsumer, RingProducer } from '../../../src/ring/ring-buffer.ts';
import { fillPattern, findMismatch } from './support/random.ts';

let ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports) port.close();
  ports = [];
});

function openLink() {
  const buffer = createRing(512);
  const { port1, port2 } = new MessageChannel();
  const spares = new MessageChannel();
  ports.push(port1, port2, spares.port1, spares.port2);
  const producer = new RingProducer(openRing(buffer));
  return {
    i32: new Int32Array(buffer),
    port: port1,
    producer,
    writer: new LinkWriter(producer, port1, { spillBytes: 64, spillBudgetBytes: 4096 }, spares.port1),
    reader: new LinkReader(new RingConsumer(openRing(buffer)), port2, spares.port2),
  };
}

function put(writer: LinkWriter, n: number, bytes: number): void {
  assert.ok(writer.begin(bytes));
  fillPattern(writer.u8, writer.base, bytes, n);
  assert.ok(writer.commit(SEND, n, n, bytes));
}

describe('the memory of a moved body', () => {
  test('goes back to the writer once the body is released', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 1000);
    assert.ok(reader.next());
    const body = reader.u8;
    assert.equal(body.length, 1000);
    reader.release();
    assert.equal(body.length, 0, 'moved back');
    put(writer, 2, 800);
    assert.ok(reader.next());
    assert.equal(reader.byteLength, 800);
    assert.equal(reader.u8.length, 1000, 'the same memory');
    assert.equal(findMismatch(reader.u8, reader.base, 800, 2), -1);
  });

  test('also goes back when the next body is read', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 1000);
    put(writer, 2, 1200);
    assert.ok(reader.next());
    const body = reader.u8;
    assert.ok(reader.next());
    assert.equal(body.length, 0);
    assert.equal(findMismatch(reader.u8, reader.base, 1200, 2), -1);
  });

  test('stays with its owner until it is given back', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 1000);
    assert.ok(reader.next());
    const owned = reader.own();
    reader.release();
    assert.ok(owned.isMoved);
    assert.equal(findMismatch(owned.u8, owned.base, 1000, 1), -1);
    reader.giveBack(owned.u8.buffer as ArrayBuffer);
    assert.equal(owned.u8.length, 0);
    put(writer, 2, 900);
    assert.ok(reader.next());
    assert.equal(reader.u8.length, 1000);
  });

  test('is not the memory of a small body', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 60);
    assert.ok(reader.next());
    assert.equal(reader.own().isMoved, false);
  });
});

describe('a body', () => {
  test('is read in place, and takeOwned copies it into its own memory', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 61);
    assert.ok(reader.next());
    assert.ok(reader.u8.buffer instanceof SharedArrayBuffer);
    const owned = reader.own();
    assert.ok(owned.u8.buffer instanceof ArrayBuffer);
    assert.equal(owned.i32.buffer, owned.u8.buffer);
    assert.equal(owned.byteLength, 61);
    assert.equal(owned.base % 8, 0);
    reader.release();
    for (let n = 2; n < 20; n++) {
      put(writer, n, 61);
      assert.ok(reader.next());
      reader.release();
    }
    assert.equal(findMismatch(owned.u8, owned.base, 61, 1), -1);
  });

  test('that was moved is owned without a copy', () => {
    const { writer, reader } = openLink();
    put(writer, 1, 1001);
    assert.ok(reader.next());
    const { u8 } = reader;
    const owned = reader.own();
    assert.equal(owned.u8, u8);
    reader.release();
    assert.notEqual(reader.u8, u8, 'the reader holds no moved buffer after release');
    assert.equal(owned.byteLength, 1001);
    assert.equal(findMismatch(owned.u8, owned.base, 1001, 1), -1);
  });

  test('can be skipped unread, also if it was moved, and the release returns its budget', () => {
    const { i32, writer, reader } = openLink();
    for (const [n, bytes] of [1000, 8, 2000, 16].entries()) put(writer, n, bytes);
    for (let n = 0; n < 4; n++) {
      assert.ok(reader.next());
      assert.equal(reader.requestId, n);
    }
    assert.equal(findMismatch(reader.u8, reader.base, 16, 3), -1);
    assert.equal(i32[RETURNED_WORD], 0);
    reader.release();
    assert.equal(i32[RETURNED_WORD], 3000);
    assert.equal(reader.isEmpty(), true);
    put(writer, 5, 40);
    assert.equal(reader.isEmpty(), false);
    assert.ok(reader.next());
    assert.equal(findMismatch(reader.u8, reader.base, 40, 5), -1);
  });

  test('stays readable while those before it are released, whether it was moved or not', () => {
    for (const bytes of [40, 1000]) {
      const { i32, writer, reader } = openLink();
      put(writer, 1, 1200);
      put(writer, 2, bytes);
      assert.ok(reader.next());
      assert.ok(reader.next());
      const usedBytes = reader.unreleasedBytes;
      reader.releaseBefore();
      assert.ok(reader.unreleasedBytes > 0 && reader.unreleasedBytes < usedBytes);
      assert.equal(Atomics.load(i32, RETURNED_WORD), 1200, 'the budget of the first one only');
      assert.equal(findMismatch(reader.u8, reader.base, bytes, 2), -1);
      reader.releaseBefore();
      assert.equal(findMismatch(reader.u8, reader.base, bytes, 2), -1);
      reader.release();
      assert.deepEqual([reader.unreleasedBytes, reader.usedBytes, writer.spilledBytesOutstanding], [0, 0, 0]);
    }
  });

  test('can be read after the writer has closed its port', () => {
    const { writer, reader, port } = openLink();
    put(writer, 1, 1000);
    put(writer, 2, 2000);
    port.close();
    for (const [n, bytes] of [
      [1, 1000],
      [2, 2000],
    ] as const) {
      assert.ok(reader.next());
      assert.equal(findMismatch(reader.u8, reader.base, bytes, n), -1);
      reader.release();
    }
    assert.equal(reader.next(), false);
  });
});

describe('a spilled frame', () => {
  const frames: readonly [what: string, words: readonly number[], message: unknown, expected: RegExp][] = [
    ['whose body is missing', [100, 104], undefined, /body of 104 bytes is missing/],
    ['whose body is shorter', [100, 104], new ArrayBuffer(96), /has 96 bytes, expected 104/],
    ['whose body is longer', [100, 104], new ArrayBuffer(112), /has 112 bytes, expected 104/],
    ['whose body is no buffer', [100, 104], 'hello', /is a string/],
    ['whose body is shared', [100, 104], new SharedArrayBuffer(104), /is a object, expected 104/],
    ['that uses more than there is', [105, 104], new ArrayBuffer(104), /105 of 104 bytes/],
    ['that uses less than nothing', [-1, 104], new ArrayBuffer(104), /-1 of 104 bytes/],
    ['of an odd length', [100, 103], new ArrayBuffer(103), /100 of 103 bytes/],
    ['of no length', [0, 0], new ArrayBuffer(0), /0 of 0 bytes/],
    ['of a negative length', [0, -8], new ArrayBuffer(8), /0 of -8 bytes/],
    ['with one word', [100], new ArrayBuffer(104), /a body of 4 bytes, expected 8/],
    ['with three words', [100, 104, 0], new ArrayBuffer(104), /a body of 12 bytes, expected 8/],
  ];
  for (const [what, words, message, expected] of frames) {
    test(`${what} is refused, and so are all frames behind it`, () => {
      const { producer, port, reader, writer } = openLink();
      if (message !== undefined) port.postMessage(message);
      const offset = producer.claim(words.length * 4);
      producer.i32.set(words, offset >>> 2);
      producer.commit(SEND, FLAG_SPILLED, 1, 1, words.length * 4);
      put(writer, 2, 16);
      for (let again = 0; again < 3; again++) {
        assert.throws(() => reader.next(), { name: 'RingCorruptError', message: expected });
      }
    });
  }
});
