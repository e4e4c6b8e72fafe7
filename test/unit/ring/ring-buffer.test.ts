// The ring on one thread: what is committed comes out whole and in order at every position, and impossible values are refused. Two
// threads: test/stress.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IllegalStateError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import { POLL, RESPONSE, SEND } from '../../../src/ring/frames/kinds.ts';
import { createRing, DATA_OFFSET, FLAG_SPILLED, HEAD_WORD, openRing, TAIL_WORD } from '../../../src/ring/layout.ts';
import { RingConsumer, RingProducer } from '../../../src/ring/ring-buffer.ts';
import { chooseSeed, fillPattern, findMismatch, Random } from './support/random.ts';

function openBoth(capacity: number, startPosition = 0) {
  const buffer = createRing(capacity, startPosition);
  const i32 = new Int32Array(buffer);
  const producer = new RingProducer(openRing(buffer));
  const consumer = new RingConsumer(openRing(buffer));
  return { i32, producer, consumer };
}

function put(producer: RingProducer, n: number, bodyBytes: number, claimBytes = bodyBytes): boolean {
  const offset = producer.claim(claimBytes);
  if (offset === -1) return false;
  assert.equal(offset % 8, 0);
  assert.ok(offset >= DATA_OFFSET && offset + claimBytes <= producer.u8.byteLength, 'body lies in the data');
  fillPattern(producer.u8, offset, bodyBytes, n);
  producer.commit(SEND, 0, n, -n, bodyBytes);
  return true;
}

function take(consumer: RingConsumer, n: number, bodyBytes: number): void {
  assert.ok(consumer.next(), `frame ${n} is there`);
  assert.deepEqual(
    [consumer.kind, consumer.flags, consumer.requestId, consumer.detail, consumer.bodyBytes],
    [SEND, 0, n, -n | 0, bodyBytes],
  );
  assert.equal(findMismatch(consumer.u8, consumer.bodyOffset, bodyBytes, n), -1, `body of frame ${n}`);
}

describe('ring', () => {
  test('delivers a frame with all its words', () => {
    const { producer, consumer } = openBoth(256);
    const offset = producer.claim(13);
    producer.u8.fill(7, offset, offset + 13);
    producer.commit(RESPONSE, FLAG_SPILLED, 0xfffffffe, -5, 13);
    assert.ok(consumer.next());
    assert.equal(consumer.kind, RESPONSE);
    assert.equal(consumer.flags, FLAG_SPILLED);
    assert.equal(consumer.requestId, 0xfffffffe);
    assert.equal(consumer.detail, -5);
    assert.equal(consumer.bodyOffset, offset);
    assert.equal(consumer.bodyBytes, 13);
    assert.equal(consumer.next(), false);
  });

  test('shows nothing of an open or abandoned claim', () => {
    const { producer, consumer } = openBoth(256);
    producer.claim(100);
    assert.equal(consumer.next(), false);
    assert.equal(consumer.isEmpty(), true);
    producer.abandon();
    assert.equal(producer.position, 0);
    assert.ok(put(producer, 1, 8));
    take(consumer, 1, 8);
  });

  test('is full when a frame does not fit, and takes it after release', () => {
    const { producer, consumer } = openBoth(64);
    assert.ok(put(producer, 1, 16));
    assert.ok(put(producer, 2, 16));
    assert.equal(producer.hasRoom(0), false);
    assert.equal(producer.claim(0), -1);
    take(consumer, 1, 16);
    assert.equal(producer.claim(0), -1, 'looking at a frame frees nothing');
    consumer.release();
    assert.equal(producer.hasRoom(16), true);
    assert.ok(put(producer, 3, 16));
    take(consumer, 2, 16);
    take(consumer, 3, 16);
    consumer.release();
    assert.equal(producer.isEmpty(), true);
  });

  test('releases several frames at once', () => {
    const { producer, consumer } = openBoth(128);
    for (let n = 0; n < 5; n++) assert.ok(put(producer, n, 8));
    for (let n = 0; n < 5; n++) take(consumer, n, 8);
    assert.equal(consumer.position, 0);
    consumer.release();
    assert.equal(consumer.position, producer.position);
  });

  test('commits less than was claimed, and uses the rest', () => {
    const { producer, consumer } = openBoth(128);
    assert.ok(put(producer, 1, 0, 48));
    assert.equal(producer.position, 16);
    assert.ok(put(producer, 2, 5, 48));
    take(consumer, 1, 0);
    take(consumer, 2, 5);
  });

  test('extends a claim in place while contiguous room is free', () => {
    const { producer, consumer } = openBoth(256);
    const offset = producer.claim(8);
    fillPattern(producer.u8, offset, 8, 1);
    assert.equal(producer.extend(64), true);
    fillPattern(producer.u8, offset, 64, 1);
    assert.equal(producer.extend(240), true, 'more than half the ring, as long as it is free');
    assert.equal(producer.extend(241), false);
    assert.equal(producer.extend(Number.NaN), false);
    producer.commit(SEND, 0, 1, -1, 64);
    take(consumer, 1, 64);
    assert.ok(put(producer, 2, 100));
    const next = producer.claim(8);
    assert.notEqual(next, -1);
    assert.equal(producer.extend(100), false, 'the end of the data is nearer');
    fillPattern(producer.u8, next, 8, 3);
    producer.commit(SEND, 0, 3, -3, 8);
    take(consumer, 2, 100);
    take(consumer, 3, 8);
  });

  test('does not extend into frames that are not released', () => {
    const { producer, consumer } = openBoth(128);
    assert.ok(put(producer, 1, 32));
    assert.ok(put(producer, 2, 32));
    take(consumer, 1, 32);
    consumer.release();
    assert.equal(producer.claim(24), DATA_OFFSET + 16, 'at the start, behind a pad');
    assert.equal(producer.extend(32), true, 'up to the frame that is not released');
    assert.equal(producer.extend(40), false);
    fillPattern(producer.u8, DATA_OFFSET + 16, 32, 3);
    producer.commit(SEND, 0, 3, -3, 32);
    take(consumer, 2, 32);
    take(consumer, 3, 32);
  });

  test('accepts a frame of half the capacity whenever it is empty, at every position', () => {
    for (const capacity of [64, 256]) {
      for (let start = 0; start < capacity; start += 8) {
        for (const base of [0, 2 ** 32 - capacity, 2 ** 31 - capacity]) {
          const { producer, consumer } = openBoth(capacity, base + start);
          for (let n = 0; n < 3; n++) {
            assert.ok(
              put(producer, n, producer.maxBodyBytes),
              `capacity ${capacity}, start ${base + start}, frame ${n}`,
            );
            take(consumer, n, producer.maxBodyBytes);
            consumer.release();
          }
        }
      }
    }
  });

  test('goes on at the same place when both ends are opened again', () => {
    const buffer = createRing(64, 2 ** 32 - 8);
    assert.ok(put(new RingProducer(openRing(buffer)), 1, 16));
    assert.ok(put(new RingProducer(openRing(buffer)), 2, 0));
    const first = new RingConsumer(openRing(buffer));
    take(first, 1, 16);
    first.release();
    take(new RingConsumer(openRing(buffer)), 2, 0);
  });

  test('agrees with a queue over random schedules, across the wrap of the positions', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    for (let round = 0; round < 60; round++) {
      const capacity = 64 << random.below(4);
      const start = (2 ** 32 - 8 * random.below(2000)) % 2 ** 32;
      const { producer, consumer } = openBoth(capacity, start);
      const queue: [n: number, bodyBytes: number][] = [];
      let looked = 0;
      for (let n = 0; n < 600; n++) {
        const claimBytes = random.below(producer.maxBodyBytes + 1);
        const bodyBytes = random.isOneIn(3) ? random.below(claimBytes + 1) : claimBytes;
        if (random.isOneIn(8) && producer.claim(claimBytes) !== -1) producer.abandon();
        const hadRoom = producer.hasRoom(claimBytes);
        assert.equal(put(producer, n, bodyBytes, claimBytes), hadRoom, 'hasRoom tells what claim does');
        if (hadRoom) queue.push([n, bodyBytes]);
        else assert.ok(queue.length > 0, 'an empty ring takes every frame');
        while (random.isOneIn(2) && looked < queue.length) {
          const [next, bytes] = queue[looked++]!;
          take(consumer, next, bytes);
        }
        if (looked === queue.length) assert.equal(consumer.next(), false);
        if (random.isOneIn(2)) {
          consumer.release();
          queue.splice(0, looked);
          looked = 0;
          assert.equal(producer.isEmpty(), queue.length === 0);
        }
      }
    }
  });
});

describe('ring misuse', () => {
  test('is refused without harm', () => {
    const { producer, consumer } = openBoth(256);
    assert.throws(() => producer.commit(SEND, 0, 1, 1, 0), /commit without a claim/);
    assert.throws(() => producer.extend(8), IllegalStateError);
    for (const bytes of [-1, 113, 1.5, Number.NaN, 2 ** 32])
      assert.throws(() => producer.claim(bytes), IllegalStateError);
    assert.notEqual(producer.claim(16), -1);
    assert.throws(() => producer.claim(16), /another claim is open/);
    for (const bytes of [17, -1, Number.NaN])
      assert.throws(() => producer.commit(SEND, 0, 1, 1, bytes), IllegalStateError);
    for (const kind of [0, 15, 255, 256, -1]) assert.throws(() => producer.commit(kind, 0, 1, 1, 0), IllegalStateError);
    assert.throws(() => producer.commit(SEND, 2, 1, 1, 0), IllegalStateError);
    producer.commit(POLL, 0, 1, 1, 16);
    assert.ok(consumer.next());
  });
});

describe('a corrupt ring', () => {
  /** Words of a first frame of 24 bytes at offset 0, then 40 bytes at 24. */
  function filled() {
    const ring = openBoth(128);
    assert.ok(put(ring.producer, 1, 8));
    assert.ok(put(ring.producer, 2, 24));
    return { ...ring, frameWord: DATA_OFFSET >>> 2 };
  }

  const lengths: readonly [what: string, length: number][] = [
    ['negative', -8],
    ['zero', 0],
    ['less than a header', 15],
    ['more than is published', 65],
    ['more than the ring', 129],
    ['the largest int32', 0x7fffffff],
    ['the smallest int32', -0x80000000],
  ];
  for (const [what, length] of lengths) {
    test(`with a frame length that is ${what} is refused, again and again`, () => {
      const { i32, consumer, frameWord } = filled();
      i32[frameWord] = length;
      for (let again = 0; again < 2; again++) {
        assert.throws(() => consumer.next(), {
          name: 'RingCorruptError',
          message: new RegExp(`frame length is ${length} `),
        });
      }
      assert.equal(consumer.position, 0);
    });
  }

  for (const kindWord of [15, 255, 0x200, 0x10001, -1, 0x01000001]) {
    test(`with kind word ${kindWord} is refused`, () => {
      const { i32, consumer, frameWord } = filled();
      i32[frameWord + 1] = kindWord;
      assert.throws(() => consumer.next(), RingCorruptError);
    });
  }

  test('with a pad that does not end at the end is refused', () => {
    for (const length of [0, 8, 24, 120, 136, -8]) {
      const { i32, consumer, frameWord } = filled();
      i32[frameWord] = length;
      i32[frameWord + 1] = 0;
      assert.throws(() => consumer.next(), { name: 'RingCorruptError', message: /pad of/ });
    }
  });

  test('with a pad and nothing behind it is refused', () => {
    const { i32, consumer } = openBoth(128, 120);
    i32[(DATA_OFFSET + 120) >>> 2] = 8;
    i32[((DATA_OFFSET + 120) >>> 2) + 1] = 0;
    i32[TAIL_WORD] = 128;
    assert.throws(() => consumer.next(), /pad of 8 bytes/);
  });

  test('with a second pad is refused', () => {
    const { i32, consumer } = openBoth(128, 120);
    i32[(DATA_OFFSET + 120) >>> 2] = 8;
    i32[((DATA_OFFSET + 120) >>> 2) + 1] = 0;
    i32[DATA_OFFSET >>> 2] = 128;
    i32[(DATA_OFFSET >>> 2) + 1] = 0;
    i32[TAIL_WORD] = 120 + 128;
    assert.throws(() => consumer.next(), RingCorruptError);
  });

  test('with a frame across the end of the data is refused', () => {
    const { i32, consumer } = openBoth(128, 112);
    i32[(DATA_OFFSET + 112) >>> 2] = 24;
    i32[((DATA_OFFSET + 112) >>> 2) + 1] = SEND;
    i32[TAIL_WORD] = 112 + 24;
    assert.throws(() => consumer.next(), /frame length is 24 at offset 112/);
  });

  for (const tail of [-8, 4, 129, 136, 0x7ffffff8, -0x80000000]) {
    test(`with tail ${tail} is refused by the consumer`, () => {
      const { i32, consumer } = openBoth(128);
      i32[TAIL_WORD] = tail;
      assert.throws(() => consumer.next(), RingCorruptError);
      assert.throws(() => consumer.isEmpty(), RingCorruptError);
      assert.throws(() => new RingConsumer(openRing(i32.buffer as SharedArrayBuffer)), RingCorruptError);
    });
  }

  test('with a tail that went back is refused by the consumer', () => {
    const { i32, consumer } = filled();
    take(consumer, 1, 8);
    take(consumer, 2, 24);
    i32[TAIL_WORD] = 24;
    assert.throws(() => consumer.next(), /tail is 24 bytes ahead/);
  });

  for (const head of [-8, 4, 136, 0x7ffffff8, -0x80000000]) {
    test(`with head ${head} is refused by the producer`, () => {
      const { i32, producer } = filled();
      assert.ok(put(producer, 3, 48));
      i32[HEAD_WORD] = head;
      assert.throws(() => producer.isEmpty(), RingCorruptError);
      assert.throws(() => producer.claim(0), RingCorruptError);
    });
  }

  test('with a head that went back is refused by the producer', () => {
    const { i32, producer, consumer } = filled();
    take(consumer, 1, 8);
    consumer.release();
    assert.equal(producer.isEmpty(), false);
    i32[HEAD_WORD] = 0;
    assert.throws(() => producer.isEmpty(), /head is 64 bytes behind/);
  });

  test('at a position that is no multiple of 8 cannot be opened', () => {
    const buffer = createRing(64);
    const i32 = new Int32Array(buffer);
    i32[TAIL_WORD] = 4;
    assert.throws(() => new RingProducer(openRing(buffer)), RingCorruptError);
    i32[TAIL_WORD] = 0;
    i32[HEAD_WORD] = -4;
    assert.throws(() => new RingConsumer(openRing(buffer)), RingCorruptError);
  });

  test('with any words at all gives typed errors or frames inside the data, never more', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    for (let round = 0; round < 3000; round++) {
      const { i32, consumer, producer } = openBoth(64 << random.below(3), 8 * random.below(64));
      for (let n = 0; n < 4; n++) put(producer, n, random.below(producer.maxBodyBytes + 1));
      const words = i32.length - (DATA_OFFSET >>> 2);
      for (let hits = 1 + random.below(4); hits > 0; hits--) {
        const word = random.isOneIn(8) ? TAIL_WORD : (DATA_OFFSET >>> 2) + random.below(words);
        i32[word] = random.isOneIn(2) ? random.below(300) - 20 : random.uint32();
      }
      try {
        for (let frames = 0; consumer.next(); frames++) {
          assert.ok(frames <= 4 + consumer.capacity / 16, 'comes to an end');
          assert.ok(consumer.bodyOffset >= DATA_OFFSET && consumer.bodyOffset % 8 === 0);
          assert.ok(consumer.bodyBytes >= 0 && consumer.bodyOffset + consumer.bodyBytes <= consumer.u8.byteLength);
          if (random.isOneIn(2)) consumer.release();
        }
      } catch (error) {
        assert.ok(error instanceof RingCorruptError, String(error));
      }
    }
  });
});
