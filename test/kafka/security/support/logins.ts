// Owns what tests on logins ask of a client: that it works, or that it cannot start and says why. Runs in the test process.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  type KafkaClient,
  type KafkaClientOptions,
  ListGroups,
  NoBrokersAvailable,
  type SaslAuthenticationFailedError,
} from '../../../../src/index.ts';
import { type Cleanup, failedStart, openClient } from '../../../broker/support/client.ts';

/** The node all these brokers are. */
export const nodeId = 1;

/** A client that a broker lets in, and answers. */
export async function loggedIn(t: Cleanup, options: KafkaClientOptions): Promise<KafkaClient> {
  const client = await openClient(t, options);
  await client.awaitReady(nodeId);
  assert.equal((await client.send(nodeId, ListGroups, {})).errorCode, 0);
  return client;
}

type ErrorClass = new (...args: never[]) => SaslAuthenticationFailedError | Error;

/** What no start waits for that its only server has refused: longer than a test may take. */
export const foreverMs = 3_600_000;

/** That a start failed since each server has refused, and not since its time was over. */
export function assertRefused(thrown: unknown): asserts thrown is NoBrokersAvailable {
  assert.ok(thrown instanceof NoBrokersAvailable, `started, or failed otherwise: ${inspect(thrown)}`);
  assert.match(thrown.message, /could be used: login or certificate was refused/);
}

/**
 * Why the client cannot start: the error of its only server, of the class given.
 * @param secrets what no error may show
 * @param isVerdict false if that server has not said no, so that it is asked again until the time is over
 */
export async function refusal(
  options: KafkaClientOptions,
  type: ErrorClass,
  secrets: readonly string[],
  isVerdict = true,
): Promise<Error> {
  const thrown = await failedStart(options, isVerdict ? foreverMs : 2000);
  if (isVerdict) assertRefused(thrown);
  const { error } = thrown.causes[0]!;
  assert.ok(error instanceof type, inspect(error));
  assert.equal((thrown.cause as Error).message, error.message);
  const shown = inspect(thrown, { depth: 20, showHidden: true }) + JSON.stringify(thrown);
  for (const secret of secrets) assert.ok(!shown.includes(secret), `an error shows ${secret}`);
  return error;
}

/** Requests one after another for so long, each of which must succeed. */
export async function requestsFor(client: KafkaClient, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const sent = Array.from({ length: 4 }, () => client.send(nodeId, ListGroups, {}));
    for (const future of sent) assert.equal((await future).errorCode, 0);
  }
}
