// Memory of large requests: it is used again after the socket has written it, and it is limited.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { RequestMemory } from '../../../../src/worker/client/request-memory.ts';
import { byName, KiB, noisyBatch, produceRequest } from '../support/big-messages.ts';
import { FakeNetwork } from '../support/fake-network.ts';

class FakeSocket {
  written = 0;
  isWritten({ position }: { readonly position: number }): boolean {
    return position <= this.written;
  }
}

test('memory comes back when the socket has taken it', () => {
  const memory = new RequestMemory();
  const socket = new FakeSocket();
  const first = memory.take(100 * KiB);
  memory.lend(first, socket, { position: 1 });
  const second = memory.take(100 * KiB);
  assert.notEqual(second.buffer, first.buffer);
  memory.lend(second, socket, { position: 2 });
  socket.written = 1;
  assert.equal(memory.take(100 * KiB).buffer, first.buffer);
  assert.notEqual(memory.take(100 * KiB).buffer, second.buffer);
});

test('unused memory is used next, and memory that is too small is not', () => {
  const memory = new RequestMemory();
  const first = memory.take(20 * KiB);
  memory.giveBack(first);
  const larger = memory.take(200 * KiB);
  assert.ok(larger.length >= 200 * KiB);
  assert.equal(memory.take(20 * KiB).buffer, first.buffer);
});

test('at most 8 MiB are kept: free memory is dropped first, and memory of a socket beyond that does not come back', () => {
  const memory = new RequestMemory();
  const socket = new FakeSocket();
  const lent = Array.from({ length: 20 }, () => memory.take(1024 * KiB));
  for (const buffer of lent) memory.lend(buffer, socket, { position: 1 });
  socket.written = 1;
  const known = new Set(lent.map(({ buffer }) => buffer));
  const again = lent.map(() => memory.take(1024 * KiB)).filter(({ buffer }) => known.has(buffer));
  assert.ok(again.length >= 1 && again.length <= 8, `${again.length} of 20 were kept`);
});

test('a large request is not overwritten while the socket holds it, and a later request uses its memory', async () => {
  const net = new FakeNetwork({ maxInFlightRequestsPerConnection: 20 }, null);
  try {
    const broker = net.broker('one:9092', 1);
    net.ready(1);
    const transport = net.transports.at(-1)!;
    const frames: Uint8Array[] = [];
    const write = transport.write.bind(transport);
    transport.write = (bytes) => {
      frames.push(bytes);
      return write(bytes);
    };
    const produce = (seed: number, acks = -1): void => {
      const batch = noisyBatch(100 * KiB, seed, 'none');
      net.app.send(1, Produce, produceRequest([batch], acks), byName);
      net.run();
    };
    produce(1);
    const first = Buffer.from(frames[0]!);
    transport.unsentBytes = first.length;
    produce(2, 0);
    assert.notEqual(frames[1]!.buffer, frames[0]!.buffer);
    assert.ok(first.equals(frames[0]!));
    transport.unsentBytes = 0;
    produce(3);
    assert.equal(frames[2]!.buffer, frames[0]!.buffer);
    produce(4);
    assert.equal(frames[3]!.buffer, frames[1]!.buffer, 'the memory of a request with acks 0, too');
    assert.equal(broker.requests.filter(({ codec }) => codec.name === 'Produce').length, 4);
  } finally {
    await net.close();
  }
});
