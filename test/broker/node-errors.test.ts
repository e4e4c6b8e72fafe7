// Why a node is not connected, why it refuses requests, and which of the errors is reported.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  KafkaConnectionError,
  Metadata,
  NodeNotReadyError,
  TooManyInFlightRequests,
  UnknownBrokerIdError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { calm, failureOf, openClient, openConnected } from './support/client.ts';

describe('nodes', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: { assignments: [[0], [1]] } } });
  });

  after(() => broker.close());

  test('give the reason why a connection ended in lastError, without a message, until they are connected again', async (t) => {
    const client = await openConnected(t, broker, { reconnectBackoffMs: 1, retryBackoffMs: 1 });
    assert.equal(client.lastError(1), undefined);
    await broker.stopListener(1);
    await broker.closeConnections('close', 1);
    await waitFor('the connection to be lost', () => client.isDisconnected(1));
    const error = client.lastError(1);
    assert.ok(error instanceof KafkaConnectionError, String(error));
    assert.equal(error.nodeId, 1);
    const refusal = await failureOf(client.send(1, Metadata, { topics: [] }));
    assert.ok(refusal instanceof NodeNotReadyError);
    assert.ok(refusal.cause instanceof KafkaConnectionError, 'the reason of the refusal is its cause');
    await broker.startListener(1);
    await client.awaitReady(1);
    assert.equal(client.lastError(1), undefined);
  });

  test('keep the cause and the code of an attempt that was refused', async (t) => {
    const server = broker.bootstrapServers[0]!;
    const client = await openClient(t, { bootstrapServers: [server, '127.0.0.1:1'] });
    client.maybeConnect(-2);
    await waitFor('the refusal', () => client.lastError(-2) !== undefined);
    const error = client.lastError(-2)!;
    assert.ok(error instanceof KafkaConnectionError);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    client.close(-2);
    assert.equal(client.lastError(-2), undefined, 'closed on purpose, and seen at once');
  });

  test('that are unknown and nodes at their limit refuse with different errors', async (t) => {
    const client = await openConnected(t, broker, { maxInFlightRequestsPerConnection: 1 });
    assert.ok((await failureOf(client.send(77, Metadata, { topics: [] }))) instanceof UnknownBrokerIdError);
    await calm(client, broker);
    const first = client.send(0, Metadata, { topics: [] });
    assert.ok((await failureOf(client.send(0, Metadata, { topics: [] }))) instanceof TooManyInFlightRequests);
    await first;
  });

  test('are not ready while metadata is due, if metadataPriority is true', async (t) => {
    const client = await calm(await openConnected(t, broker), broker);
    await waitFor('metadata to be fresh', () => client.isReady(0, true));
    const refreshed = client.setTopics(['logs']);
    assert.equal(client.isReady(0, true), false, 'at once, on this thread');
    assert.equal(client.ready(0), true);
    await refreshed;
    await waitFor('metadata to be fresh', () => client.ready(0, true));
  });
});
