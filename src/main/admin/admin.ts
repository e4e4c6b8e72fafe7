// Owns the Admin that applications call, and its calls about the cluster, replicas and transactions. Application thread. It is a thin
// proxy: each call is one message to the network thread, and worker/admin does the rest.

import type { DescribedCluster } from '../../common/admin/cluster.ts';
import type {
  ActiveProducer,
  DescribedFeatures,
  DescribedLogDir,
  DescribedQuorum,
  DescribedReplicaLogDir,
  DescribedTransaction,
  FeatureUpdate,
  FencedProducer,
  ListedTransaction,
  OngoingReassignment,
  Reassignment,
  ReplicaKey,
  TransactionToAbort,
} from '../../common/admin/operations.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type { Int64Input, TopicPartitionKey } from '../../common/admin/topics.ts';
import { check, checkCall, checkEach, checkItem, checkItems, fieldsOf } from './admin-arguments.ts';
import { cloneable } from './admin-calls.ts';
import { Listing } from './listing.ts';
import { errorsByBroker, type Results, resultsFor, resultsOf } from './results.ts';
import { SecurityCalls } from './security-calls.ts';

interface ListTransactionsOptions extends AdminCallOptions {
  readonly states?: readonly string[];
  readonly producerIds?: readonly Int64Input[];
  /** Only transactions that are open for longer than this, in ms. Kafka 3.8 and later. */
  readonly minDurationMs?: number;
  /** A pattern in the syntax of RE2/J. Kafka 4.1 and later. */
  readonly transactionalIdPattern?: string;
}

interface FoundTransactions {
  readonly transactions: readonly ListedTransaction[];
  readonly errors: ReadonlyMap<number, Error>;
}

/**
 * Administration of a cluster. `client.admin()` makes it. It uses the client's connections and needs no close.
 *
 * Calls about many items return `Results`: a Map with an outcome for each item. Such a call rejects only when no item has an outcome:
 * with KafkaTimeoutError, with Cancelled when the client was closed, or with UnsupportedVersionError when the brokers are too old.
 */
export class Admin extends SecurityCalls {
  async describeCluster(
    options: AdminCallOptions & {
      readonly includeFencedBrokers?: boolean;
      readonly includeAuthorizedOperations?: boolean;
    } = {},
  ): Promise<DescribedCluster> {
    checkCall('describeCluster', options, ['includeFencedBrokers', 'includeAuthorizedOperations']);
    const { includeFencedBrokers = false, includeAuthorizedOperations = false } = options;
    return this.call('describeCluster', { includeFencedBrokers, includeAuthorizedOperations }, options);
  }

  /** The features of the cluster and their levels (KIP-584). */
  async describeFeatures(options: AdminCallOptions = {}): Promise<DescribedFeatures> {
    checkCall('describeFeatures', options);
    return this.call('describeFeatures', {}, options);
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<string, null>> {
    checkCall('updateFeatures', options, ['validateOnly']);
    checkItems('updateFeatures', 'updates', updates, fieldsOf.featureUpdate);
    const { validateOnly = false } = options;
    return resultsOf(await this.call('updateFeatures', { updates, validateOnly }, options));
  }

  /** The metadata quorum: its leader, its voters, and the log position of each (KIP-836). */
  async describeMetadataQuorum(options: AdminCallOptions = {}): Promise<DescribedQuorum> {
    checkCall('describeMetadataQuorum', options);
    return this.call('describeMetadataQuorum', {}, options);
  }

  /** Adds a controller to the quorum (KIP-853). @param directoryId in the form that Kafka prints */
  async addRaftVoter(
    voterId: number,
    directoryId: string,
    listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[],
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    checkCall('addRaftVoter', options, ['clusterId']);
    check('addRaftVoter', 'voterId', voterId, 'integer');
    check('addRaftVoter', 'directoryId', directoryId, 'text');
    checkItems('addRaftVoter', 'listeners', listeners, fieldsOf.listener);
    const { clusterId = null } = options;
    await this.call('addRaftVoter', { clusterId, voterId, directoryId, listeners }, options);
  }

  async removeRaftVoter(
    voterId: number,
    directoryId: string,
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    checkCall('removeRaftVoter', options, ['clusterId']);
    check('removeRaftVoter', 'voterId', voterId, 'integer');
    check('removeRaftVoter', 'directoryId', directoryId, 'text');
    const { clusterId = null } = options;
    await this.call('removeRaftVoter', { clusterId, voterId, directoryId }, options);
  }

  /** Removes a broker that will not come back from the cluster (KIP-631). */
  async unregisterBroker(brokerId: number, options: AdminCallOptions = {}): Promise<void> {
    checkCall('unregisterBroker', options);
    check('unregisterBroker', 'brokerId', brokerId, 'integer');
    await this.call('unregisterBroker', { brokerId }, options);
  }

  /** Removes a controller that will not come back. Kafka 4.4 and later. */
  async unregisterController(controllerId: number, options: AdminCallOptions = {}): Promise<void> {
    checkCall('unregisterController', options);
    check('unregisterController', 'controllerId', controllerId, 'integer');
    await this.call('unregisterController', { controllerId }, options);
  }

  /**
   * Elects leaders (KIP-460).
   * @param partitions null: all partitions; results then have only the partitions that changed or failed
   * @param options `unclean`: whether a replica that is not in sync may become leader, which loses records; default false
   */
  async electLeaders(
    partitions: readonly TopicPartitionKey[] | null,
    options: AdminCallOptions & { readonly unclean?: boolean } = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkCall('electLeaders', options, ['unclean']);
    if (partitions !== null) checkItems('electLeaders', 'partitions', partitions, fieldsOf.place);
    const { unclean = false } = options;
    const plain = await this.call('electLeaders', { partitions, isUnclean: unclean }, options);
    return partitions === null ? resultsOf(plain) : resultsFor(partitions, plain);
  }

  /** Reassigns replicas, or cancels reassignments (KIP-455). */
  async alterPartitionReassignments(
    reassignments: readonly Reassignment[],
    options: AdminCallOptions & { readonly allowReplicationFactorChange?: boolean } = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkCall('alterPartitionReassignments', options, ['allowReplicationFactorChange']);
    checkItems('alterPartitionReassignments', 'reassignments', reassignments, fieldsOf.reassignment);
    const { allowReplicationFactorChange = true } = options;
    const args = { reassignments, allowReplicationFactorChange };
    return resultsFor(reassignments, await this.call('alterPartitionReassignments', args, options));
  }

  /** The reassignments under way. @param partitions null: all partitions */
  async listPartitionReassignments(
    partitions: readonly TopicPartitionKey[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Map<TopicPartitionKey, OngoingReassignment>> {
    checkCall('listPartitionReassignments', options);
    if (partitions !== null) checkItems('listPartitionReassignments', 'partitions', partitions, fieldsOf.place);
    return new Map(await this.call('listPartitionReassignments', { partitions }, options));
  }

  /** The log directories of brokers and the replicas in them (KIP-113). */
  async describeLogDirs(
    brokerIds: readonly number[],
    options: AdminCallOptions = {},
  ): Promise<Results<number, readonly DescribedLogDir[]>> {
    checkCall('describeLogDirs', options);
    checkEach('describeLogDirs', 'brokerIds', brokerIds, 'integer');
    return resultsOf(await this.call('describeLogDirs', { brokerIds }, options));
  }

  /** The log directories of replicas, each on its broker (KIP-113). */
  async describeReplicaLogDirs(
    replicas: readonly ReplicaKey[],
    options: AdminCallOptions = {},
  ): Promise<Results<ReplicaKey, DescribedReplicaLogDir>> {
    checkCall('describeReplicaLogDirs', options);
    checkItems('describeReplicaLogDirs', 'replicas', replicas, fieldsOf.replica);
    return resultsFor(replicas, await this.call('describeReplicaLogDirs', { replicas }, options));
  }

  /** Moves replicas to other log directories of their brokers. */
  async alterReplicaLogDirs(
    moves: readonly (ReplicaKey & { readonly path: string })[],
    options: AdminCallOptions = {},
  ): Promise<Results<ReplicaKey, null>> {
    checkCall('alterReplicaLogDirs', options);
    checkItems('alterReplicaLogDirs', 'moves', moves, fieldsOf.logDirMove);
    return resultsFor(moves, await this.call('alterReplicaLogDirs', { moves }, options));
  }

  /** The transactions of all coordinators (KIP-664, KIP-1152). `errors` has the brokers that did not answer. */
  listTransactions(options: ListTransactionsOptions = {}): Listing<FoundTransactions, ListedTransaction> {
    return new Listing(this.#listTransactions(options), ({ transactions }) => transactions);
  }

  async #listTransactions(options: ListTransactionsOptions): Promise<FoundTransactions> {
    checkCall('listTransactions', options, ['states', 'producerIds', 'minDurationMs', 'transactionalIdPattern']);
    checkEach('listTransactions', 'states', options.states ?? [], 'text');
    checkEach('listTransactions', 'producerIds', options.producerIds ?? [], 'int64');
    const { states = [], producerIds = [], minDurationMs = null, transactionalIdPattern = null } = options;
    const args = { states, producerIds: producerIds.map(cloneable), minDurationMs, transactionalIdPattern };
    const { transactions, errors } = await this.call('listTransactions', args, options);
    return { transactions, errors: errorsByBroker(errors) };
  }

  async describeTransactions(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, DescribedTransaction>> {
    checkCall('describeTransactions', options);
    checkEach('describeTransactions', 'transactionalIds', transactionalIds, 'text');
    return resultsOf(await this.call('describeTransactions', { transactionalIds }, options));
  }

  /** Aborts the open transactions of these ids and fences their producers. */
  async fenceProducers(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, FencedProducer>> {
    checkCall('fenceProducers', options);
    checkEach('fenceProducers', 'transactionalIds', transactionalIds, 'text');
    return resultsOf(await this.call('fenceProducers', { transactionalIds }, options));
  }

  /** Aborts the open transaction of this id and fences its producer. Java's name for one id (KIP-939). */
  async forceTerminateTransaction(transactionalId: string, options: AdminCallOptions = {}): Promise<void> {
    checkCall('forceTerminateTransaction', options);
    check('forceTerminateTransaction', 'transactionalId', transactionalId, 'text');
    const args = { transactionalIds: [transactionalId] };
    const [outcome] = resultsOf(await this.call('fenceProducers', args, options)).values();
    if (outcome?.ok === false) throw outcome.error;
  }

  /**
   * The producers that the leaders of the partitions know.
   * @param options `brokerId`: ask this replica instead of the leaders
   */
  async describeProducers(
    partitions: readonly TopicPartitionKey[],
    options: AdminCallOptions & { readonly brokerId?: number } = {},
  ): Promise<Results<TopicPartitionKey, readonly ActiveProducer[]>> {
    checkCall('describeProducers', options, ['brokerId']);
    const { brokerId = null } = options;
    if (brokerId !== null) check('describeProducers', 'brokerId', brokerId, 'integer');
    checkItems('describeProducers', 'partitions', partitions, fieldsOf.place);
    return resultsFor(partitions, await this.call('describeProducers', { partitions, brokerId }, options));
  }

  /** Aborts a hanging transaction of one partition, which `describeProducers` shows (KIP-664). */
  async abortTransaction(transaction: TransactionToAbort, options: AdminCallOptions = {}): Promise<void> {
    checkCall('abortTransaction', options);
    checkItem('abortTransaction', 'transaction', transaction, fieldsOf.transactionToAbort);
    const cloned = { ...transaction, producerId: cloneable(transaction.producerId) };
    const plain = await this.call('abortTransaction', { transaction: cloned }, options);
    const [outcome] = resultsOf(plain).values();
    if (outcome?.ok === false) throw outcome.error;
  }
}
