// Owns the opening of clients in tests: each is closed when its test ends. Runs in the test's thread.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { KafkaClient, type KafkaClientOptions } from '../../../src/index.ts';
import type { EmbeddedBroker } from '../../helpers/embedded-broker.ts';

/** Whoever runs something when the test is over: a test's context. */
export type Cleanup = Pick<TestContext, 'after'>;

/** For clients that a hook opens and another closes. */
export const closedByHand: Cleanup = { after: () => {} };

/** A client that the end of the test closes, without waiting for what is in flight. */
export async function openClient(t: Cleanup, options: KafkaClientOptions): Promise<KafkaClient> {
  const client = await KafkaClient.start({ closeTimeoutMs: 0, ...options });
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
