// The network of a soak, in a process of its own: an embedded cluster behind fault proxies, with faults drawn from a seed.
// Its memory is not the client's. It prints the addresses as one line of JSON. The line `calm` ends all faults, what still lies on the way
// too, and is answered; `go` begins them again. It ends when its input ends.

import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ConsumerGroupHeartbeat, Fetch, Heartbeat, Metadata, OffsetCommit, Produce } from '../../src/index.ts';
import { startProxiedBroker } from '../../test/fault/support/proxied.ts';
import { integer, oneOf, seededRandom } from '../../test/fault/support/random.ts';
import type { ProxyConnection, ProxyStream } from '../../test/helpers/fault-proxy.ts';
import { coveredByte } from './covered-byte.ts';
import { sessionTimeoutMs, warmUpSpeed } from './limits.ts';

const [seedText = '1', topic = 'soak', partitionsText = '4', corruption = 'none', warmUpMs = '0'] =
  process.argv.slice(2);
const warmUpEndsAt = performance.now() + Number(warmUpMs);
const random = seededRandom(Number(seedText));
const minPauseMs = 200;
const maxPauseMs = 3000;
/** Below the request timeout of the soak's clients: what is stalled for longer is lost, which is another fault. */
const maxStallMs = 4000;
/** Records that each partition keeps: what it would keep in an hour is more than a machine has. */
const maxKeptRecords = 200_000;
const truncateEveryMs = 10_000;
const maxCalmMs = 3_600_000;

const network = await startProxiedBroker({
  nodes: 3,
  topics: { [topic]: Number(partitionsText), other: 2 },
  groups: { consumerSessionTimeoutMs: sessionTimeoutMs },
});
process.stdout.write(`${JSON.stringify({ bootstrapServers: network.bootstrapServers })}\n`);

let isOver = false;
let isCalm = false;
/** Ends a pause. */
let waking = new AbortController();
createInterface(process.stdin)
  .on('line', (line) => {
    isCalm = line === 'calm';
    waking.abort();
  })
  .on('close', () => {
    isOver = true;
    waking.abort();
  });
const { broker, proxies } = network;

const faults: Readonly<Record<string, () => Promise<void> | void>> = {
  split: onStream((stream) => stream.split(integer(random, 1, 7))),
  ...(corruption === 'covered' && { corrupt: onStream(corruptCovered) }),
  ...(corruption === 'any' && { corrupt: onStream((stream) => stream.corrupt(soon(stream) + stream.heldBytes)) }),
  end: onStream((stream) => stream.cutAfter(soon(stream), 'end')),
  reset: onStream((stream) => stream.cutAfter(soon(stream), 'reset')),
  silence: onStream((stream) => stream.cutAfter(soon(stream), 'silence')),
  async stall() {
    const open = openConnections();
    for (const { toClient } of open) toClient.stall();
    await pause(100, maxStallMs);
    for (const { toClient } of open) toClient.resume();
  },
  resetAll: () => oneOf(random, proxies).resetAll(),
  async refuse() {
    const proxy = oneOf(random, proxies);
    await proxy.refuse();
    proxy.resetAll();
    await pause(100, maxStallMs);
    await proxy.listen();
  },
  async code() {
    const api = oneOf(random, [Produce, Fetch, Metadata, OffsetCommit, Heartbeat, ConsumerGroupHeartbeat]);
    // Of the codes that a client retries: 5 LEADER_NOT_AVAILABLE, 6 NOT_LEADER_OR_FOLLOWER, 14 and 16 of coordinators.
    const codes = [OffsetCommit.key, Heartbeat.key, ConsumerGroupHeartbeat.key].includes(api.key) ? [14, 16] : [5, 6];
    await broker.fail(api, oneOf(random, codes), integer(random, 1, 3));
  },
};

const counts: Record<string, number> = {};
let corruptedBytes = 0;
const truncating = truncateLogs();
while (!isOver) {
  if (isCalm) {
    heal();
    process.stdout.write(`${JSON.stringify({ calm: true })}\n`);
    while (isCalm && !isOver) await pause(maxCalmMs, maxCalmMs);
    continue;
  }
  const name = oneOf(random, Object.keys(faults));
  counts[name] = (counts[name] ?? 0) + 1;
  await faults[name]!();
  const speed = performance.now() < warmUpEndsAt ? warmUpSpeed : 1;
  await pause(Math.round(minPauseMs / speed), Math.round(maxPauseMs / speed));
}
await truncating;
process.stdout.write(`${JSON.stringify({ faults: { ...counts, corruptedBytes } })}\n`);
await network.close();

/** What the proxies would still do to open connections is called off. Those that have fallen silent stay so: the client must notice. */
function heal(): void {
  for (const { toBroker, toClient } of openConnections()) {
    for (const stream of [toBroker, toClient]) {
      stream.split(Number.POSITIVE_INFINITY);
      stream.corruptWhere(null);
      stream.cutAfter(Number.POSITIVE_INFINITY);
    }
  }
}

async function truncateLogs(): Promise<void> {
  while (!isOver) {
    await pause(truncateEveryMs, truncateEveryMs);
    for (let partition = 0; partition < Number(partitionsText); partition++) {
      const { startOffset, endOffset } = await broker.log(topic, partition);
      if (endOffset - startOffset > 2 * maxKeptRecords)
        await broker.truncateBefore(topic, partition, endOffset - maxKeptRecords);
    }
  }
}

/** A byte of the next whole batch. */
function corruptCovered(stream: ProxyStream): void {
  stream.corruptWhere((bytes) => {
    const at = coveredByte(bytes, random);
    if (at >= 0) corruptedBytes++;
    return at;
  });
}

/** On one direction of one open connection. */
function onStream(change: (stream: ProxyStream) => void): () => void {
  return () => {
    const open = openConnections();
    if (open.length === 0) return;
    const connection = oneOf(random, open);
    change(oneOf(random, [connection.toClient, connection.toBroker]));
  };
}

function openConnections(): readonly ProxyConnection[] {
  return proxies.flatMap((proxy) => proxy.openConnections);
}

/** A position a little behind what was forwarded. */
function soon({ forwardedBytes }: ProxyStream): number {
  return forwardedBytes + integer(random, 0, 200);
}

/** Ends early when a line comes, or the end: that is what the delay is rejected with. */
async function pause(minMs: number, maxMs: number): Promise<void> {
  if (waking.signal.aborted) waking = new AbortController();
  await delay(integer(random, minMs, maxMs), undefined, { signal: waking.signal }).catch(() => {});
}
