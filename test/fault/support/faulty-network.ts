// Owns a client whose bytes go through a proxy, and what tests do with both. Test thread.

import assert from 'node:assert/strict';
import { Fetch, type KafkaClient, KafkaClientError, ListOffsets, Metadata, Produce } from '../../../src/index.ts';
import { closedByHand, openClient } from '../../broker/support/client.ts';
import {
  byName,
  fetchedRecords,
  fetchRequest,
  listOffsetsRequest,
  produceRequest,
} from '../../broker/support/requests.ts';
import type { Settlements } from '../../broker/support/settlements.ts';
import type { ProxyConnection } from '../../helpers/fault-proxy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type ProxiedBroker, startProxiedBroker } from './proxied.ts';
import { integer, type Random } from './random.ts';

const MiB = 1024 * 1024;

export class FaultyNetwork {
  readonly proxied: ProxiedBroker;
  /** The same for all tests of a file: whatever it has met, it goes on. */
  readonly client: KafkaClient;

  private constructor(proxied: ProxiedBroker, client: KafkaClient) {
    this.proxied = proxied;
    this.client = client;
  }

  static async start(): Promise<FaultyNetwork> {
    const proxied = await startProxiedBroker({
      topics: { logs: 1, large: 1, scratch: 1 },
      messageMaxBytes: 64 * MiB,
    });
    await proxied.broker.append('logs', 0, [{ value: 'first', headers: { a: 'b' } }]);
    await proxied.broker.append('large', 0, [{ value: Buffer.alloc(3 * MiB, 5) }]);
    const client = await openClient(closedByHand, {
      bootstrapServers: proxied.bootstrapServers,
      reconnectBackoffMs: 1,
      reconnectBackoffMaxMs: 20,
      retryBackoffMs: 10,
      maxInFlightRequestsPerConnection: 100,
      // Damaged metadata may name an address that nobody has.
      connectionSetupTimeoutMs: 2000,
      connectionSetupTimeoutMaxMs: 2000,
    });
    await client.awaitReady(0);
    return new FaultyNetwork(proxied, client);
  }

  /** Ends what a test has prepared. The client must work afterwards. */
  async restore(): Promise<void> {
    this.proxied.onConnection(null);
    await this.proxied.broker.clearRules();
    await this.assertWorks();
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.proxied.close();
  }

  /** Connects anew, so that the proxy can prepare the connection. */
  async reconnect(prepare: (connection: ProxyConnection) => void): Promise<void> {
    this.proxied.onConnection(prepare);
    this.client.close(0);
    await this.client.awaitReady(0);
  }

  /** The open connection to node 0. */
  connection(): ProxyConnection {
    return this.proxied.proxies[0]!.openConnections.at(-1)!;
  }

  /** A new connection, whatever became of the old one, which a silent proxy may never see closed. */
  async replaced(before: number): Promise<void> {
    await waitFor('another connection', () => this.proxied.proxies[0]!.connections.length > before);
  }

  /** Node 0 is known and ready: damaged metadata may have said something else. */
  async recover(): Promise<void> {
    await waitFor('node 0 to be ready', async () => {
      try {
        await this.client.awaitReady(0, { timeoutMs: 2000 });
        if (this.client.isReady(0)) return true;
        // A damaged answer may have asked for a pause of weeks.
        this.client.close(0);
      } catch (error) {
        assert.ok(error instanceof KafkaClientError && error.retriable, String(error));
      }
      await Promise.allSettled([this.client.refreshMetadata()]);
      return false;
    });
  }

  async assertWorks(): Promise<void> {
    await this.recover();
    // What a recovery opened beside it goes by itself, and the next test means the connection to node 0.
    await waitFor('the bootstrap connection to go', () => !this.client.connected(-1));
    const response = await this.client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    assert.equal(fetchedRecords(response).at(0).value!.toString(), 'first');
  }
}

/** A mixture of requests, some of which may be refused. */
export function sendSome(
  settlements: Settlements,
  random: Random,
  count: number,
  options: { timeoutMs?: number } = {},
): void {
  for (let i = 0; i < count; i++) {
    const kind = integer(random, 0, 4);
    if (kind === 0) settlements.send(0, Metadata, { topics: [{ name: 'logs' }] }, options);
    else if (kind === 1) settlements.send(0, ListOffsets, listOffsetsRequest('logs'), options);
    else if (kind === 2) settlements.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), { ...byName, ...options });
    else {
      const value = 'x'.repeat(integer(random, 0, 600));
      const acks = kind === 3 ? -1 : 0;
      settlements.send(0, Produce, produceRequest('scratch', [{ value }], { acks }), { ...byName, ...options });
    }
  }
}
