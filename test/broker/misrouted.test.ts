// A broker's address that leads to another broker (KIP-1242): it is noticed before any request is sent there, and the bootstrap servers
// are asked again.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ApiVersions, type KafkaClient, Metadata, NodeNotReadyError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { saslApis, wantLogins } from '../helpers/sasl-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient, unreadyBecause } from './support/client.ts';

let broker: EmbeddedBroker;

/** Two nodes; with `apiVersions` for logins nothing is compared before one. */
async function start(t: TestContext, isLoginNeeded: boolean): Promise<void> {
  broker = await startEmbeddedBroker({ nodes: 2, apiVersions: isLoginNeeded ? saslApis : {} });
  t.after(() => broker.close());
  await useRules(isLoginNeeded);
}

async function useRules(isLoginNeeded: boolean): Promise<void> {
  await broker.clearRules();
  if (isLoginNeeded) await wantLogins(broker, { mechanism: 'PLAIN', username: 'alice', password });
}

const password = 'the-secret-word';
const login = {
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: password,
} as const;

/** Metadata names node 1 at the address of node 0. */
async function misroute(): Promise<void> {
  const { host, port } = broker.nodes[0]!;
  const brokers = [0, 1].map((nodeId) => ({ nodeId, host, port }));
  const clusterId = 'embedded-cluster-000000';
  await broker.control(Metadata, () => ({ body: { clusterId, controllerId: 0, brokers, topics: [] } }));
}

async function assertMisrouted(client: KafkaClient): Promise<void> {
  await unreadyBecause(client, 1, /is not node 1 of cluster 'embedded-cluster-000000'/);
  await assert.rejects(
    async () => client.send(1, Metadata, { topics: [] }),
    (error: Error) => {
      assert.ok(error instanceof NodeNotReadyError);
      assert.equal((error.cause as { code?: string }).code, 'KAFKA_REBOOTSTRAP_REQUIRED');
      return true;
    },
  );
  assert.equal(client.isReady(0), true);
}

for (const [how, options] of [
  ['that is open to everybody', {}],
  ['that wants logins', login],
] as const) {
  test(`a connection to the wrong broker of a cluster ${how} is never ready, and the right one is found`, async (t) => {
    await start(t, 'saslMechanism' in options);
    await misroute();
    const bootstrapServers = broker.bootstrapServers[0]!;
    const client = await openClient(t, { bootstrapServers, reconnectBackoffMaxMs: 100, ...options });
    await client.awaitReady(0);
    await assertMisrouted(client);

    await useRules('saslMechanism' in options);
    await waitFor('node 1', async () => {
      await client.awaitReady(1, { timeoutMs: 500 }).catch(() => {});
      return client.isReady(1);
    });
    assert.equal((await client.send(1, Metadata, { topics: [] })).brokers.length, 2);
  });
}

test('with metadataClusterCheckEnable false, no broker is told for which broker a connection is meant', async (t) => {
  await start(t, false);
  await misroute();
  const seen: (string | null)[] = [];
  await broker.control(ApiVersions, ({ body }) => {
    seen.push((body as { clusterId: string | null }).clusterId);
    return undefined;
  });
  const bootstrapServers = broker.bootstrapServers[0]!;
  const client = await openClient(t, { bootstrapServers, metadataClusterCheckEnable: false });
  await client.awaitReady(0);
  await client.awaitReady(1);
  assert.ok(seen.length >= 3);
  assert.deepEqual(new Set(seen), new Set([null]));
});
