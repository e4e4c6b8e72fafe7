// Overwrites words of a ring's shared memory between writes and reads, as a thread gone wild would. The reader says that the
// memory is corrupt, or returns frames that lie within the ring; it never loops and never reads beyond its memory.

import { POLL, SEND } from '../../../src/ring/frames/kinds.ts';
import { createRing, DATA_OFFSET, HEAD_WORD, openRing, TAIL_WORD } from '../../../src/ring/layout.ts';
import { RingConsumer, RingProducer } from '../../../src/ring/ring-buffer.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const capacity = 512;
const wild = [-2147483648, -1, 0, 1, 3, 8, 16, 511, 512, 513, 1 << 20, 2147483647];

export const ring: FuzzTarget = {
  name: 'ring',
  share: 350,

  async prepare() {},

  run(random, input) {
    const buffer = createRing(capacity, random.pick([0, 8, 504, -8, 2147483640, -2147483648]));
    const words = new Int32Array(buffer);
    const bytes = new Uint8Array(buffer);
    input.note('ring', bytes);
    const producer = new RingProducer(openRing(buffer));
    const consumer = new RingConsumer(openRing(buffer));
    for (let step = 0; step < 12; step++) {
      const size = random.below(140);
      if (producer.hasRoom(size) && producer.claim(size) !== -1)
        producer.commit(random.pick([SEND, POLL]), 0, step, step, size);
      if (random.chance(40)) {
        const fixed = [TAIL_WORD, HEAD_WORD];
        const word = random.chance(30) ? random.pick(fixed) : DATA_OFFSET / 4 + random.below(capacity / 4);
        words[word] = random.chance(70) ? random.pick(wild) : random.uint32() | 0;
      }
      if (random.chance(10)) bytes.set(mutated(bytes.subarray(DATA_OFFSET), random).subarray(0, capacity), DATA_OFFSET);
      read(consumer, random.below(4));
    }
  },
};

function read(consumer: RingConsumer, most: number): void {
  for (let i = 0; i < most && consumer.next(); i++) {
    const { bodyOffset, bodyBytes, u8 } = consumer;
    if (bodyBytes < 0 || bodyOffset < DATA_OFFSET || bodyOffset + bodyBytes > u8.byteLength) {
      throw new BrokenRule(`body of ${bodyBytes} bytes at ${bodyOffset}, memory has ${u8.byteLength}`);
    }
  }
  consumer.release();
}
