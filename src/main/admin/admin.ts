// Owns the Admin that applications call, and its calls about the cluster, replicas and transactions. Application thread. It is a thin
// proxy: each call is one message to the network thread, and worker/admin does the rest.

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
import { checkOptions } from '../../common/options.ts';
import { cloneable } from './admin-calls.ts';
import { errorsByBroker, type Results, resultsFor, resultsOf } from './results.ts';
import { SecurityCalls } from './security-calls.ts';

/**
 * Administration of a cluster. `client.admin()` makes it. It uses the client's connections and needs no close.
 *
 * Calls about many items return `Results`: a Map with an outcome for each item. Such a call rejects only when no item has an outcome:
 * with KafkaTimeoutError, with Cancelled when the client was closed, or with UnsupportedVersionError when the brokers are too old.
 */
export class Admin extends SecurityCalls {
  describeCluster(
    options: AdminCallOptions & { readonly includeFencedBrokers?: boolean } = {},
  ): Promise<DescribedCluster> {
    checkOptions('describeCluster', options, ['timeoutMs', 'includeFencedBrokers']);
    const { includeFencedBrokers = false, timeoutMs } = options;
    return this.call('describeCluster', { includeFencedBrokers }, timeoutMs);
  }

  /** The features of the cluster and their levels (KIP-584). */
  describeFeatures(options: AdminCallOptions = {}): Promise<DescribedFeatures> {
    checkOptions('describeFeatures', options, ['timeoutMs']);
    return this.call('describeFeatures', {}, options.timeoutMs);
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<string, null>> {
    checkOptions('updateFeatures', options, ['timeoutMs', 'validateOnly']);
    const { validateOnly = false, timeoutMs } = options;
    return resultsOf(await this.call('updateFeatures', { updates, validateOnly }, timeoutMs));
  }

  /** The metadata quorum: its leader, its voters, and the log position of each (KIP-836). */
  describeMetadataQuorum(options: AdminCallOptions = {}): Promise<DescribedQuorum> {
    checkOptions('describeMetadataQuorum', options, ['timeoutMs']);
    return this.call('describeMetadataQuorum', {}, options.timeoutMs);
  }

  /** Adds a controller to the quorum (KIP-853). @param directoryId in the form that Kafka prints */
  async addRaftVoter(
    voterId: number,
    directoryId: string,
    listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[],
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    checkOptions('addRaftVoter', options, ['timeoutMs', 'clusterId']);
    const { clusterId = null, timeoutMs } = options;
    await this.call('addRaftVoter', { clusterId, voterId, directoryId, listeners }, timeoutMs);
  }

  async removeRaftVoter(
    voterId: number,
    directoryId: string,
    options: AdminCallOptions & { readonly clusterId?: string } = {},
  ): Promise<void> {
    checkOptions('removeRaftVoter', options, ['timeoutMs', 'clusterId']);
    const { clusterId = null, timeoutMs } = options;
    await this.call('removeRaftVoter', { clusterId, voterId, directoryId }, timeoutMs);
  }

  /** Removes a broker that will not come back from the cluster (KIP-631). */
  async unregisterBroker(brokerId: number, options: AdminCallOptions = {}): Promise<void> {
    checkOptions('unregisterBroker', options, ['timeoutMs']);
    await this.call('unregisterBroker', { brokerId }, options.timeoutMs);
  }

  /** Removes a controller that will not come back. Kafka 4.4 and later. */
  async unregisterController(controllerId: number, options: AdminCallOptions = {}): Promise<void> {
    checkOptions('unregisterController', options, ['timeoutMs']);
    await this.call('unregisterController', { controllerId }, options.timeoutMs);
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
    checkOptions('electLeaders', options, ['timeoutMs', 'unclean']);
    const { unclean = false, timeoutMs } = options;
    const plain = await this.call('electLeaders', { partitions, isUnclean: unclean }, timeoutMs);
    return partitions === null ? resultsOf(plain) : resultsFor(partitions, plain);
  }

  /** Reassigns replicas, or cancels reassignments (KIP-455). */
  async alterPartitionReassignments(
    reassignments: readonly Reassignment[],
    options: AdminCallOptions & { readonly allowReplicationFactorChange?: boolean } = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkOptions('alterPartitionReassignments', options, ['timeoutMs', 'allowReplicationFactorChange']);
    const { allowReplicationFactorChange = true, timeoutMs } = options;
    const args = { reassignments, allowReplicationFactorChange };
    return resultsFor(reassignments, await this.call('alterPartitionReassignments', args, timeoutMs));
  }

  /** The reassignments under way. @param partitions null: all partitions */
  async listPartitionReassignments(
    partitions: readonly TopicPartitionKey[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Map<TopicPartitionKey, OngoingReassignment>> {
    checkOptions('listPartitionReassignments', options, ['timeoutMs']);
    return new Map(await this.call('listPartitionReassignments', { partitions }, options.timeoutMs));
  }

  /** The log directories of brokers and the replicas in them (KIP-113). */
  async describeLogDirs(
    brokerIds: readonly number[],
    options: AdminCallOptions = {},
  ): Promise<Results<number, readonly DescribedLogDir[]>> {
    checkOptions('describeLogDirs', options, ['timeoutMs']);
    return resultsOf(await this.call('describeLogDirs', { brokerIds }, options.timeoutMs));
  }

  /** Moves replicas to other log directories of their brokers. */
  async alterReplicaLogDirs(
    moves: readonly (TopicPartitionKey & { readonly brokerId: number; readonly path: string })[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey & { readonly brokerId: number }, null>> {
    checkOptions('alterReplicaLogDirs', options, ['timeoutMs']);
    return resultsFor(moves, await this.call('alterReplicaLogDirs', { moves }, options.timeoutMs));
  }

  /** The transactions of all coordinators (KIP-664, KIP-1152). `errors` has the brokers that did not answer. */
  async listTransactions(
    options: AdminCallOptions & {
      readonly states?: readonly string[];
      readonly producerIds?: readonly Int64Input[];
      /** Only transactions that are open for longer than this, in ms. Kafka 3.8 and later. */
      readonly minDurationMs?: number;
      /** A pattern in the syntax of RE2/J. Kafka 4.1 and later. */
      readonly transactionalIdPattern?: string;
    } = {},
  ): Promise<{ readonly transactions: readonly ListedTransaction[]; readonly errors: ReadonlyMap<number, Error> }> {
    checkOptions('listTransactions', options, [
      'timeoutMs',
      'states',
      'producerIds',
      'minDurationMs',
      'transactionalIdPattern',
    ]);
    const { states = [], producerIds = [], minDurationMs = null, transactionalIdPattern = null, timeoutMs } = options;
    const args = { states, producerIds: producerIds.map(cloneable), minDurationMs, transactionalIdPattern };
    const { transactions, errors } = await this.call('listTransactions', args, timeoutMs);
    return { transactions, errors: errorsByBroker(errors) };
  }

  async describeTransactions(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, DescribedTransaction>> {
    checkOptions('describeTransactions', options, ['timeoutMs']);
    return resultsOf(await this.call('describeTransactions', { transactionalIds }, options.timeoutMs));
  }

  /** Aborts the open transactions of these ids and fences their producers. */
  async fenceProducers(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, FencedProducer>> {
    checkOptions('fenceProducers', options, ['timeoutMs']);
    return resultsOf(await this.call('fenceProducers', { transactionalIds }, options.timeoutMs));
  }

  /** The producers that the leaders of the partitions know. */
  async describeProducers(
    partitions: readonly TopicPartitionKey[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, readonly ActiveProducer[]>> {
    checkOptions('describeProducers', options, ['timeoutMs']);
    return resultsFor(partitions, await this.call('describeProducers', { partitions }, options.timeoutMs));
  }

  /** Aborts a hanging transaction of one partition, which `describeProducers` shows (KIP-664). */
  async abortTransaction(transaction: TransactionToAbort, options: AdminCallOptions = {}): Promise<void> {
    checkOptions('abortTransaction', options, ['timeoutMs']);
    const cloned = { ...transaction, producerId: cloneable(transaction.producerId) };
    const plain = await this.call('abortTransaction', { transaction: cloned }, options.timeoutMs);
    const [outcome] = resultsOf(plain).values();
    if (outcome?.ok === false) throw outcome.error;
  }
}
