// Gives streams of bytes to the receive buffer, in reads of any size: what comes out are the frames that went in, or an error
// that ends the stream. Memory is taken only for frames below the limit.

import { FrameMemory } from '../../../src/worker/net/frame-memory.ts';
import { ReceiveBuffer } from '../../../src/worker/net/receive-buffer.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const maxFrameBytes = 256 * 1024;

export const frames: FuzzTarget = {
  name: 'frames',
  share: 10,

  async prepare() {},

  run(random, input) {
    const stream = mutated(valid(random), random);
    input.note('stream', stream);
    const received = new ReceiveBuffer(new FrameMemory(), maxFrameBytes);
    let [at, consumed] = [0, 0];
    while (at < stream.length) {
      const memory = received.memoryForRead();
      if (memory.length === 0) throw new BrokenRule('no memory to read into');
      const count = Math.min(memory.length, stream.length - at, 1 + random.below(40_000));
      stream.copy(memory, 0, at, at + count);
      at += count;
      received.received(memory, count);
      while (received.hasFrame()) {
        const size = stream.readInt32BE(consumed);
        const { frame, frameStart, frameEnd } = received;
        if (frameEnd - frameStart !== size) throw new BrokenRule(`frame of ${frameEnd - frameStart}, sent ${size}`);
        const sent = stream.subarray(consumed + 4, consumed + 4 + size);
        if (!frame.subarray(frameStart, frameEnd).equals(sent)) throw new BrokenRule(`frame at ${consumed} differs`);
        consumed += 4 + size;
        received.consumeFrame();
      }
    }
    // Of a big frame that is not whole, the size is no longer among the bytes.
    const rest = stream.length - consumed;
    if (received.bufferedBytes !== rest && received.bufferedBytes !== rest - 4) {
      throw new BrokenRule(`${received.bufferedBytes} bytes buffered of ${rest}`);
    }
  },
};

function valid(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random.below(6) }, () => {
    const size = random.pick([4, 5, 100, 1000, 65_536, 100_000, 4 + random.below(3000)]);
    const frame = Buffer.alloc(4 + size, random.below(256));
    frame.writeInt32BE(size);
    return frame;
  });
  return Buffer.concat(parts);
}
