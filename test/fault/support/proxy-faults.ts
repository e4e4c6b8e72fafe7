// Owns every fault of the proxy, on command and at places drawn from a seed, and what must hold after each: every request is settled once,
// and the client finds its way back. The same for embedded and real brokers. Test thread.

import assert from 'node:assert/strict';
import {
  type KafkaClient,
  KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  Metadata,
  NodeNotReadyError,
} from '../../../src/index.ts';
import { Settlements } from '../../broker/support/settlements.ts';
import type { FaultProxy, ProxyConnection } from '../../helpers/fault-proxy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { integer, type Random } from './random.ts';

interface Fault {
  readonly name: string;
  /** Whether the requests that are under way are answered nevertheless. */
  readonly isHarmless: boolean;
  begin(connection: ProxyConnection, random: Random, foreign: Buffer): void;
  end?(connection: ProxyConnection): void;
}

const soon = (random: Random): number => integer(random, 0, 40);

export const proxyFaults: readonly Fault[] = [
  {
    name: 'splits into single bytes',
    isHarmless: true,
    begin: ({ toClient, toBroker }) => {
      toClient.split(1);
      toBroker.split(1);
    },
  },
  { name: 'delays', isHarmless: true, begin: ({ toClient }, random) => toClient.delay(integer(random, 1, 200)) },
  {
    name: 'trickles',
    isHarmless: true,
    begin: ({ toClient, toBroker }, random) => {
      toClient.split(integer(random, 1, 5));
      toBroker.split(integer(random, 1, 5));
      toClient.delay(integer(random, 1, 50));
    },
  },
  {
    name: 'stalls and goes on',
    isHarmless: true,
    begin: ({ toClient }, random) => toClient.stall(toClient.forwardedBytes + soon(random)),
    end: ({ toClient }) => toClient.resume(),
  },
  { name: 'resets', isHarmless: false, begin: (connection) => connection.reset() },
  { name: 'closes one half', isHarmless: false, begin: ({ toClient }) => toClient.halfClose() },
  {
    name: 'corrupts a length',
    isHarmless: false,
    // The first byte of the next answer: it claims more than any frame may have.
    begin: ({ toClient }) => toClient.corrupt(toClient.forwardedBytes, 0x7f),
  },
  {
    name: 'truncates with FIN',
    isHarmless: false,
    begin: ({ toClient }, random) => toClient.cutAfter(toClient.forwardedBytes + soon(random), 'end'),
  },
  {
    name: 'truncates with RST',
    isHarmless: false,
    begin: ({ toClient }, random) => toClient.cutAfter(toClient.forwardedBytes + soon(random), 'reset'),
  },
  {
    name: 'truncates into silence',
    isHarmless: false,
    begin: ({ toClient }, random) => toClient.cutAfter(toClient.forwardedBytes + soon(random), 'silence'),
  },
  {
    name: 'replays an answer to somebody else',
    isHarmless: false,
    begin: ({ toClient }, _random, foreign) => toClient.inject(foreign),
  },
];

/** Does it to the connection of node `nodeId`, which leads through the proxy, with requests under way. */
export async function survive(
  { name, isHarmless, begin, end }: Fault,
  client: KafkaClient,
  nodeId: number,
  proxy: FaultProxy,
  random: Random,
): Promise<void> {
  await client.awaitReady(nodeId, { timeoutMs: 60_000 });
  const connection = proxy.openConnections.at(-1)!;
  const foreign = await answerTo(connection, client, nodeId);
  const settlements = new Settlements(client);
  begin(connection, random, foreign);
  for (let i = 0; i < 3; i++) settlements.send(nodeId, Metadata, { topics: [] });
  if (end !== undefined) {
    await client.poll(0);
    end(connection);
  }
  const { succeeded, errors } = await settlements.finish();
  for (const error of errors) assert.ok(error instanceof KafkaClientError, `${name}: ${error.stack}`);
  if (isHarmless) assert.equal(succeeded, 3, `${name}: ${errors.join('; ')}`);
  else {
    const types = errors.map((error) => error instanceof KafkaConnectionError || error instanceof KafkaProtocolError);
    // The connection may have ended before the first request was sent.
    const isUnsent = errors.every((error) => error instanceof NodeNotReadyError);
    assert.ok(isUnsent || types.some(Boolean), `${name}: ${errors.join('; ')}`);
  }
  if (isHarmless) connection.reset();
  await waitFor(`the client to be back after: ${name}`, async () => {
    await client.awaitReady(nodeId, { timeoutMs: 2000 }).catch(() => {});
    const found = await client.send(nodeId, Metadata, { topics: [] }).then(
      () => true,
      () => false,
    );
    return found;
  });
}

/** A whole answer, which the broker has given before: its correlation id is of the past. */
async function answerTo(connection: ProxyConnection, client: KafkaClient, nodeId: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  connection.toClient.tap((bytes) => pieces.push(Buffer.from(bytes)));
  await client.send(nodeId, Metadata, { topics: [] });
  connection.toClient.tap(null);
  return Buffer.concat(pieces);
}
