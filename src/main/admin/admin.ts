// Owns the Admin that applications call, and its calls about the cluster, replicas and transactions. Application thread. A thin
// proxy: each call is one message to the network thread, where it is routed, repeated and timed (worker/admin).

import type { DescribedCluster } from '../../common/admin/cluster.ts';
import type {
  ActiveProducer,
  DescribedFeatures,
  DescribedLogDir,
  DescribedQuorum,
  DescribedTransaction,
  FeatureUpdate,
  FencedProducer,
  ListedTransaction,
  OngoingReassignment,
  Reassignment,
  TransactionToAbort,
} from '../../common/admin/operations.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type { Int64Input, TopicPartitionKey } from '../../common/admin/topics.ts';
import { cloneable } from './admin-calls.ts';
import { errorsByBroker, type Results, resultsFor, resultsOf } from './results.ts';
import { SecurityCalls } from './security-calls.ts';

/**
 * Administration of a cluster. Made by `client.admin()`; it has no life of its own, and shares the client's connections.
 *
 * Calls about many items answer with `Results`: a Map with an outcome for each item. A call rejects only when nothing can be said
 * about any item: KafkaTimeoutError, Cancelled when the client was closed, UnsupportedVersionError when the brokers are too old.
 */
export class Admin extends SecurityCalls {
  describeCluster(
    options: AdminCallOptions & { readonly includeFencedBrokers?: boolean } = {},
  ): Promise<DescribedCluster> {
    const { includeFencedBrokers = false, timeoutMs } = options;
    return this.call('describeCluster', { includeFencedBrokers }, timeoutMs);
  }

  /** Features of the cluster and their levels (KIP-584). */
  describeFeatures(options: AdminCallOptions = {}): Promise<DescribedFeatures> {
    return this.call('describeFeatures', {}, options.timeoutMs);
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<string, null>> {
    const { validateOnly = false, timeoutMs } = options;
    return resultsOf(await this.call('updateFeatures', { updates, validateOnly }, timeoutMs));
  }

  /** The metadata quorum: who leads, who votes, how far each is (KIP-836). */
  describeMetadataQuorum(options: AdminCallOptions = {}): Promise<DescribedQuorum> {
    return this.call('describeMetadataQuorum', {}, options.timeoutMs);
  }

  /** Adds a controller to the quorum (KIP-853). @param directoryId as Kafka prints it */
  async addRaftVoter(
    voterId: number,
    directoryId: string,
    listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[],
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    const { clusterId = null, timeoutMs } = options;
    await this.call('addRaftVoter', { clusterId, voterId, directoryId, listeners }, timeoutMs);
  }

  async removeRaftVoter(
    voterId: number,
    directoryId: string,
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    const { clusterId = null, timeoutMs } = options;
    await this.call('removeRaftVoter', { clusterId, voterId, directoryId }, timeoutMs);
  }

  /** Removes a broker that is down for good from the cluster (KIP-631). */
  async unregisterBroker(brokerId: number, options: AdminCallOptions = {}): Promise<void> {
    await this.call('unregisterBroker', { brokerId }, options.timeoutMs);
  }

  /** The same for a controller; Kafka 4.4 and later. */
  async unregisterController(controllerId: number, options: AdminCallOptions = {}): Promise<void> {
    await this.call('unregisterController', { controllerId }, options.timeoutMs);
  }

  /**
   * Elects leaders (KIP-460).
   * @param partitions null: of all partitions; results then name only those that changed or failed
   * @param options `unclean`: also a replica that is not in sync, which loses records; default false
   */
  async electLeaders(
    partitions: readonly TopicPartitionKey[] | null,
    options: AdminCallOptions & { readonly unclean?: boolean } = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    const { unclean = false, timeoutMs } = options;
    const plain = await this.call('electLeaders', { partitions, isUnclean: unclean }, timeoutMs);
    return partitions === null ? resultsOf(plain) : resultsFor(partitions, plain);
  }

  /** Moves replicas, or ends moves (KIP-455). */
  async alterPartitionReassignments(
    reassignments: readonly Reassignment[],
    options: AdminCallOptions & { readonly allowReplicationFactorChange?: boolean } = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    const { allowReplicationFactorChange = true, timeoutMs } = options;
    const args = { reassignments, allowReplicationFactorChange };
    return resultsFor(reassignments, await this.call('alterPartitionReassignments', args, timeoutMs));
  }

  /** Moves under way. @param partitions null: of all */
  async listPartitionReassignments(
    partitions: readonly TopicPartitionKey[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Map<TopicPartitionKey, OngoingReassignment>> {
    return new Map(await this.call('listPartitionReassignments', { partitions }, options.timeoutMs));
  }

  /** Log folders of brokers and the replicas in them (KIP-113). */
  async describeLogDirs(
    brokerIds: readonly number[],
    options: AdminCallOptions = {},
  ): Promise<Results<number, readonly DescribedLogDir[]>> {
    return resultsOf(await this.call('describeLogDirs', { brokerIds }, options.timeoutMs));
  }

  /** Moves replicas to other folders of their brokers. */
  async alterReplicaLogDirs(
    moves: readonly (TopicPartitionKey & { readonly brokerId: number; readonly path: string })[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey & { readonly brokerId: number }, null>> {
    return resultsFor(moves, await this.call('alterReplicaLogDirs', { moves }, options.timeoutMs));
  }

  /** Transactions of all coordinators (KIP-664, KIP-1152). A broker that does not answer is in `errors`. */
  async listTransactions(
    options: AdminCallOptions & {
      readonly states?: readonly string[];
      readonly producerIds?: readonly Int64Input[];
      /** Open for longer than this, ms; Kafka 3.8 and later. */
      readonly minDurationMs?: number;
      /** In the syntax of RE2/J; Kafka 4.1 and later. */
      readonly transactionalIdPattern?: string;
    } = {},
  ): Promise<{ readonly transactions: readonly ListedTransaction[]; readonly errors: ReadonlyMap<number, Error> }> {
    const { states = [], producerIds = [], minDurationMs = null, transactionalIdPattern = null, timeoutMs } = options;
    const args = { states, producerIds: producerIds.map(cloneable), minDurationMs, transactionalIdPattern };
    const { transactions, errors } = await this.call('listTransactions', args, timeoutMs);
    return { transactions, errors: errorsByBroker(errors) };
  }

  async describeTransactions(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, DescribedTransaction>> {
    return resultsOf(await this.call('describeTransactions', { transactionalIds }, options.timeoutMs));
  }

  /** Ends the open transactions of these ids and fences their producers. */
  async fenceProducers(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, FencedProducer>> {
    return resultsOf(await this.call('fenceProducers', { transactionalIds }, options.timeoutMs));
  }

  /** Producers with state at the leaders of partitions. */
  async describeProducers(
    partitions: readonly TopicPartitionKey[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, readonly ActiveProducer[]>> {
    return resultsFor(partitions, await this.call('describeProducers', { partitions }, options.timeoutMs));
  }

  /** Ends a transaction that hangs on one partition, as `describeProducers` shows it (KIP-664). */
  async abortTransaction(transaction: TransactionToAbort, options: AdminCallOptions = {}): Promise<void> {
    const cloned = { ...transaction, producerId: cloneable(transaction.producerId) };
    const plain = await this.call('abortTransaction', { transaction: cloned }, options.timeoutMs);
    const [outcome] = resultsOf(plain).values();
    if (outcome?.ok === false) throw outcome.error;
  }
}
