// The network of a soak, in a process of its own: an embedded cluster behind fault proxies, with faults drawn from a seed.
// Its memory is not the client's. It prints the addresses as one line of JSON, and ends when its input ends.

import { setTimeout as delay } from 'node:timers/promises';
import { Fetch, Heartbeat, Metadata, OffsetCommit, Produce } from '../../src/index.ts';
import { type ProxiedBroker, startProxiedBroker } from '../../test/fault/support/proxied.ts';
import { integer, oneOf, type Random, seededRandom } from '../../test/fault/support/random.ts';
import type { ProxyStream } from '../../test/helpers/fault-proxy.ts';

const [seedText = '1', topic = 'soak', partitionsText = '4', corruption = ''] = process.argv.slice(2);
const withCorruption = corruption === 'corrupt';
const random = seededRandom(Number(seedText));
const minPauseMs = 200;
const maxPauseMs = 3000;
/** Below the request timeout of the soak's clients: what is stalled for longer is lost, which is another fault. */
const maxStallMs = 4000;

const network = await startProxiedBroker({ nodes: 3, topics: { [topic]: Number(partitionsText) } });
process.stdout.write(`${JSON.stringify({ bootstrapServers: network.bootstrapServers })}\n`);

const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
const counts: Record<string, number> = {};
while (!stop.signal.aborted) {
  const name = oneOf(random, Object.keys(faults()));
  counts[name] = (counts[name] ?? 0) + 1;
  await faults()[name]!(network, random);
  await delay(integer(random, minPauseMs, maxPauseMs), undefined, { signal: stop.signal }).catch(() => {});
}
process.stdout.write(`${JSON.stringify({ faults: counts })}\n`);
await network.close();

type Fault = (network: ProxiedBroker, random: Random) => Promise<void> | void;

function faults(): Readonly<Record<string, Fault>> {
  return {
    split: onStream((stream) => stream.split(integer(random, 1, 7))),
    ...(withCorruption && { corrupt: onStream(corrupt) }),
    end: onStream((stream) => stream.cutAfter(stream.forwardedBytes + integer(random, 0, 200), 'end')),
    reset: onStream((stream) => stream.cutAfter(stream.forwardedBytes + integer(random, 0, 200), 'reset')),
    silence: onStream((stream) => stream.cutAfter(stream.forwardedBytes + integer(random, 0, 200), 'silence')),
    async stall({ proxies }) {
      const open = proxies.flatMap(({ openConnections }) => openConnections);
      for (const { toClient } of open) toClient.stall();
      await delay(integer(random, 100, maxStallMs), undefined, { signal: stop.signal }).catch(() => {});
      for (const { toClient } of open) toClient.resume();
    },
    resetAll: ({ proxies }) => oneOf(random, proxies).resetAll(),
    async refuse({ proxies }) {
      const proxy = oneOf(random, proxies);
      await proxy.refuse();
      proxy.resetAll();
      await delay(integer(random, 100, maxStallMs), undefined, { signal: stop.signal }).catch(() => {});
      await proxy.listen();
    },
    async code({ broker }) {
      const api = oneOf(random, [Produce, Fetch, Metadata, OffsetCommit, Heartbeat]);
      // Of the codes that a client retries: 5 LEADER_NOT_AVAILABLE, 6 NOT_LEADER_OR_FOLLOWER, 14 and 16 of coordinators.
      const codes = api === OffsetCommit || api === Heartbeat ? [14, 16] : [5, 6];
      await broker.fail(api, oneOf(random, codes), integer(random, 1, 3));
    },
  };
}

function corrupt(stream: ProxyStream): void {
  stream.corrupt(stream.forwardedBytes + stream.heldBytes + integer(random, 0, 200));
}

/** On one direction of one open connection. */
function onStream(change: (stream: ProxyStream) => void): Fault {
  return ({ proxies }) => {
    const open = proxies.flatMap(({ openConnections }) => openConnections);
    if (open.length === 0) return;
    const connection = oneOf(random, open);
    change(oneOf(random, [connection.toClient, connection.toBroker]));
  };
}
