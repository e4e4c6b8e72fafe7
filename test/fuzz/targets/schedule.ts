// Lets the two ends of a ring take their steps in random order, from positions near every wrap: what was committed comes out whole, once
// and in order, and nothing else.

import { POLL, RESPONSE, SEND } from '../../../src/ring/frames/kinds.ts';
import { createRing, openRing } from '../../../src/ring/layout.ts';
import { RingConsumer, RingProducer } from '../../../src/ring/ring-buffer.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const steps = 40;
const kinds = [SEND, POLL, RESPONSE];

interface Frame {
  readonly kind: number;
  readonly requestId: number;
  readonly detail: number;
  readonly bodyBytes: number;
}

export const schedule: FuzzTarget = {
  name: 'schedule',
  share: 300,

  async prepare() {},

  run(random, input) {
    const capacity = random.pick([64, 128, 512, 4096]);
    // Unsigned: where positions pass 2^31 and 2^32 within the case, or anywhere.
    const start = random.pick([0, 2 ** 31 - 8, 2 ** 32 - 8, 2 ** 32 - capacity, (random.uint32() >>> 3) * 8]);
    const buffer = createRing(capacity, start);
    input.note(`ring of ${capacity} from ${start}`, new Uint8Array(buffer));
    const producer = new RingProducer(openRing(buffer));
    const consumer = new RingConsumer(openRing(buffer));
    const expected: Frame[] = [];
    let taken = 0;
    for (let step = 0; step < steps; step++) {
      const kind = random.below(10);
      if (kind < 5) write(producer, expected, random);
      else if (kind < 9) taken += read(consumer, expected.slice(taken), 1 + random.below(4));
      else consumer.release();
    }
    for (;;) {
      const count = read(consumer, expected.slice(taken), steps);
      taken += count;
      consumer.release();
      if (count === 0) break;
    }
    if (taken !== expected.length) throw new BrokenRule(`${taken} frames came out of ${expected.length}`);
    if (!producer.isEmpty()) throw new BrokenRule('the ring is not empty');
  },
};

function write(producer: RingProducer, expected: Frame[], random: Random): void {
  const claimed = random.below(producer.maxBodyBytes + 1);
  const hasRoom = producer.hasRoom(claimed);
  const at = producer.claim(claimed);
  if (hasRoom !== at >= 0) throw new BrokenRule(`hasRoom said ${hasRoom}, claim gave ${at}`);
  if (at < 0) return;
  if (random.chance(10)) {
    producer.abandon();
    return;
  }
  const wanted = claimed + random.below(100);
  const limit = random.chance(20) && producer.extend(wanted) ? wanted : claimed;
  const bodyBytes = random.chance(70) ? limit : random.below(limit + 1);
  const frame = { kind: random.pick(kinds), requestId: random.uint32(), detail: random.uint32() | 0, bodyBytes };
  producer.u8.fill(frame.requestId & 0xff, at, at + bodyBytes);
  producer.commit(frame.kind, 0, frame.requestId, frame.detail, bodyBytes);
  expected.push(frame);
}

function read(consumer: RingConsumer, expected: readonly Frame[], most: number): number {
  let count = 0;
  while (count < most && consumer.next()) {
    const frame = expected[count];
    if (frame === undefined) throw new BrokenRule('a frame came out that was not written');
    const { kind, requestId, detail, bodyBytes, bodyOffset, u8 } = consumer;
    if (
      kind !== frame.kind ||
      requestId !== frame.requestId ||
      detail !== frame.detail ||
      bodyBytes !== frame.bodyBytes
    )
      throw new BrokenRule(
        `frame ${kind} ${requestId} ${detail} ${bodyBytes} is not ${Object.values(frame).join(' ')}`,
      );
    for (let i = 0; i < bodyBytes; i++)
      if (u8[bodyOffset + i] !== (requestId & 0xff))
        throw new BrokenRule(`byte ${i} of a body of ${bodyBytes} differs`);
    count++;
  }
  return count;
}
