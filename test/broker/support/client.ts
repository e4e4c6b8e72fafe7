// Owns the opening of clients in tests: each is closed when its test ends. Runs in the test's thread.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import { KafkaClient, type KafkaClientOptions, NoBrokersAvailable } from '../../../src/index.ts';
import type { EmbeddedBroker } from '../../helpers/embedded-broker.ts';
import { patient } from '../../helpers/patience.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Whoever runs something when the test is over: a test's context. */
export type Cleanup = Pick<TestContext, 'after'>;

/** For clients that a hook opens and another closes. */
export const closedByHand: Cleanup = { after: () => {} };

/** A client that the end of the test closes, without waiting for what is in flight. */
export async function openClient(t: Cleanup, options: KafkaClientOptions): Promise<KafkaClient> {
  const client = await KafkaClient.start({ ...patient, closeTimeoutMs: 0, ...options });
  t.after(() => client.close());
  return client;
}

/** A client of that broker, connected to every node it began with. */
export async function openConnected(
  t: Cleanup,
  broker: EmbeddedBroker,
  options: KafkaClientOptions = {},
): Promise<KafkaClient> {
  const client = await openClient(t, { bootstrapServers: broker.bootstrapServers, ...options });
  await Promise.all(broker.nodes.map(({ id }) => client.awaitReady(id)));
  return client;
}

/** Any Future, whatever its value. */
export interface AnyFuture extends PromiseLike<unknown> {
  readonly isDone: boolean;
  readonly exception: Error | null;
}

/**
 * Waits until the client is connected to every node the broker began with and asks for nothing by itself: a connection lost
 * in an earlier test may have called for metadata.
 */
export async function calm(client: KafkaClient, broker: EmbeddedBroker): Promise<KafkaClient> {
  await Promise.all(broker.nodes.map(({ id }) => client.awaitReady(id)));
  await client.refreshMetadata();
  // What the network thread says of its nodes follows what it delivers.
  await client.poll(0);
  return client;
}

/** The error a Future fails with, whatever its kind. */
export async function failureOf(future: AnyFuture): Promise<Error> {
  try {
    await future;
  } catch (error) {
    assert.ok(error instanceof Error, `failed with ${String(error)}`);
    assert.equal(future.exception, error);
    return error;
  }
  assert.fail('the Future succeeded');
}

/** What a server says whose first attempt has not come to an end: it depends on the machine, not on the server. */
const unfinished = /so far|was not tried/;
const maxStartLimitMs = 100_000;

/**
 * What a start fails with that cannot succeed, once every server has been tried to the end. A start whose servers may be tried again
 * lasts as long as its limit, so the limit is short at first, and longer where the machine is too busy for it.
 */
export async function failedStart(options: KafkaClientOptions, firstLimitMs = 700): Promise<NoBrokersAvailable> {
  for (let limitMs = firstLimitMs; ; limitMs *= 4) {
    const started = KafkaClient.start({ ...options, apiVersionAutoTimeoutMs: limitMs });
    const error: unknown = await started.then(
      (client) => client.close(),
      (thrown: unknown) => thrown,
    );
    assert.notEqual(error, undefined, 'the client has started');
    const isThreadLate = error instanceof Error && /did not begin within/.test(error.message);
    if (isThreadLate && limitMs < maxStartLimitMs) continue;
    assert.ok(error instanceof NoBrokersAvailable, inspect(error));
    if (limitMs >= maxStartLimitMs || error.causes.every(({ error: cause }) => !unfinished.test(cause.message)))
      return error;
  }
}

/** What waits for that node fail with, as soon as this is their reason: one may be over before an attempt has come to its end. */
export async function unreadyBecause(
  client: KafkaClient,
  nodeId: number,
  reason: RegExp,
  timeoutMs = 500,
): Promise<Error & { readonly cause: Error }> {
  let last: unknown;
  return waitFor(`a wait for node ${nodeId} to fail with ${reason}`, async () => {
    last = await client.awaitReady(nodeId, { timeoutMs }).then(
      () => assert.fail('it has become ready'),
      (error: unknown) => error,
    );
    const { cause } = last as Error;
    return cause instanceof Error && reason.test(String(cause)) ? (last as Error & { readonly cause: Error }) : null;
  }).catch((error: unknown) => assert.fail(`${error}; the last one: ${inspect(last)}`));
}
