// Runs the whole network thread, without sockets and without a clock, against brokers whose answers are changed, delayed,
// left out or cut off. Every request that was accepted settles once, whatever the brokers do, and the thread goes on.

import assert from 'node:assert/strict';
import { KafkaClientError } from '../../../src/common/errors/errors.ts';
import { ApiVersions, allApis } from '../../../src/protocol/flat/generated/apis.ts';
import { MessageValues, type Random } from '../../unit/protocol/support/random.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { FakeNetwork } from '../../unit/worker/support/fake-network.ts';
import { makeHostile } from '../support/hostile-broker.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const options = {
  requestRingBytes: 64 * 1024,
  responseRingBytes: 64 * 1024,
  spillBytes: 16 * 1024,
  spillBudgetBytes: 4 * 1024 * 1024,
  receiveMessageMaxBytes: 1024 * 1024,
  decompressedMaxBytes: 256 * 1024,
  requestTimeoutMs: 5000,
};
/** Longer than any limit of a request, and than the longest backoff. */
const settleMs = 60_000;
const requests = new Map<number, TableMessage>();
const apis = allApis.filter(({ key }) => key !== ApiVersions.key);

export const client: FuzzTarget = {
  name: 'client',
  share: 0.2,

  async prepare() {
    for (const table of tableMessages.values()) if (table.kind === 'request') requests.set(table.apiKey, table);
  },

  async run(random, input) {
    const net = new FakeNetwork(options);
    net.random = () => random.uint32() / 2 ** 32;
    try {
      const brokers = [1, 2].map((id) => net.broker(`b${id}:9092`, id));
      net.serve('one:9092', brokers[0]!);
      for (const broker of brokers) makeHostile(broker, random, input);
      for (let step = 0; step < 12; step++) {
        for (const id of [1, 2]) if (random.chance(50)) net.app.connect(id);
        send(net, random);
        if (random.chance(30)) random.pick(net.transports)?.fail(new Error('ECONNRESET'));
        net.advance(random.pick([0, 1, 100, 1000]));
      }
      net.advance(settleMs);
      if (net.app.open > 0) throw new BrokenRule(`${net.app.open} requests are open after ${settleMs} ms`);
    } finally {
      await net.close();
    }
  },
};

function send(net: FakeNetwork, random: Random): void {
  const api = random.pick(apis);
  const table = requests.get(api.key);
  if (table === undefined) return;
  const version = table.min + random.below(table.max - table.min + 1);
  const value = new MessageValues(random, table, version).message();
  try {
    net.app.send(random.pick([1, 2]), api, value as never, { version, timeoutMs: random.pick([-1, 1, 1000]) });
  } catch (error) {
    // Of random values, some are refused: too large for the ring, or records that are none.
    assert.ok(error instanceof KafkaClientError, String(error));
  }
}
