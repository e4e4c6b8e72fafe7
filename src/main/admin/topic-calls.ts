// Owns the Admin's calls about topics, partitions and configurations. Application thread.

import type Long from 'long';
import type {
  ConfigEntry,
  ConfigResource,
  ConfigResourceChanges,
  ConfigResourceType,
} from '../../common/admin/configs.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type {
  CreatedTopic,
  DescribedTopic,
  ListedOffset,
  ListedTopic,
  NewPartitions,
  NewTopic,
  OffsetSpec,
  RecordsToDelete,
  TopicNameOrId,
  TopicPartitionKey,
} from '../../common/admin/topics.ts';
import { checkCall, checkEach, checkItem, checkItems, checkOffsetSpec, fieldsOf } from './admin-arguments.ts';
import { AdminCalls, type ChangeCallOptions, cloneable, ownOptions } from './admin-calls.ts';
import { Listing } from './listing.ts';
import { type Results, resultsFor, resultsOf } from './results.ts';

export class TopicCalls extends AdminCalls {
  /**
   * Creates topics. Source: KIP-4
   * @param options `waitForLeaders`: whether to wait until a broker names a leader of each new partition; default false
   */
  async createTopics(
    topics: readonly NewTopic[],
    options: ChangeCallOptions & { readonly waitForLeaders?: boolean } = {},
  ): Promise<Results<string, CreatedTopic>> {
    checkCall('createTopics', options, ['validateOnly', 'retryOnQuotaViolation', 'waitForLeaders']);
    checkItems('createTopics', 'topics', topics, fieldsOf.newTopic);
    return resultsOf(await this.call('createTopics', { topics, ...ownOptions(options) }, options));
  }

  /**
   * Deletes topics, by name or by id. Brokers may still be deleting after the call has ended.
   * @param options `retryOnQuotaViolation`: as for createTopics
   */
  async deleteTopics<Topic extends TopicNameOrId>(
    topics: readonly Topic[],
    options: Omit<ChangeCallOptions, 'validateOnly'> = {},
  ): Promise<Results<Topic, null>> {
    checkCall('deleteTopics', options, ['retryOnQuotaViolation']);
    checkEach('deleteTopics', 'topics', topics, 'topic');
    return resultsFor(topics, await this.call('deleteTopics', { topics, ...ownOptions(options) }, options));
  }

  /** Adds partitions to topics. */
  async createPartitions(
    topics: readonly NewPartitions[],
    options: ChangeCallOptions = {},
  ): Promise<Results<string, null>> {
    checkCall('createPartitions', options, ['validateOnly', 'retryOnQuotaViolation']);
    checkItems('createPartitions', 'topics', topics, fieldsOf.newPartitions);
    return resultsOf(await this.call('createPartitions', { topics, ...ownOptions(options) }, options));
  }

  /** All topics that this user may see. Internal topics only with `includeInternal`. */
  listTopics(
    options: AdminCallOptions & { readonly includeInternal?: boolean } = {},
  ): Listing<readonly ListedTopic[], ListedTopic> {
    return new Listing(this.#listTopics(options), (topics) => topics);
  }

  async #listTopics(
    options: AdminCallOptions & { readonly includeInternal?: boolean },
  ): Promise<readonly ListedTopic[]> {
    checkCall('listTopics', options, ['includeInternal']);
    return this.call('listTopics', { includeInternal: options.includeInternal === true }, options);
  }

  /** Describes topics, by name or by id. */
  async describeTopics<Topic extends TopicNameOrId>(
    topics: readonly Topic[],
    options: AdminCallOptions & { readonly includeAuthorizedOperations?: boolean } = {},
  ): Promise<Results<Topic, DescribedTopic>> {
    checkCall('describeTopics', options, ['includeAuthorizedOperations']);
    checkEach('describeTopics', 'topics', topics, 'topic');
    const includeAuthorizedOperations = options.includeAuthorizedOperations === true;
    const plain = await this.call('describeTopics', { topics, includeAuthorizedOperations }, options);
    return resultsFor(topics, plain);
  }

  /** Deletes the oldest records of partitions. A value is the new first offset (KIP-107). */
  async deleteRecords(
    partitions: readonly RecordsToDelete[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, Long>> {
    checkCall('deleteRecords', options);
    checkItems('deleteRecords', 'partitions', partitions, fieldsOf.recordsToDelete);
    const cloned = partitions.map((one) => ({ ...one, beforeOffset: cloneable(one.beforeOffset) }));
    return resultsFor(partitions, await this.call('deleteRecords', { partitions: cloned }, options));
  }

  /**
   * Offsets of partitions: the first offset, the next one to be written, or the offset of a time.
   * @param options `isolationLevel`: with `read_committed`, `latest` is the first offset of the oldest open transaction
   */
  async listOffsets(
    partitions: readonly (TopicPartitionKey & { readonly at: OffsetSpec })[],
    options: AdminCallOptions & { readonly isolationLevel?: 'read_uncommitted' | 'read_committed' } = {},
  ): Promise<Results<TopicPartitionKey, ListedOffset>> {
    checkCall('listOffsets', options, ['isolationLevel']);
    checkItems('listOffsets', 'partitions', partitions, fieldsOf.offsetQuestion);
    for (const [i, { at }] of partitions.entries()) checkOffsetSpec('listOffsets', `partitions[${i}].at`, at);
    const cloned = partitions.map(({ topic, partition, at }) => ({
      topic,
      partition,
      at: typeof at === 'string' ? at : { timestampMs: cloneable(at.timestampMs) },
    }));
    const args = { partitions: cloned, isReadCommitted: options.isolationLevel === 'read_committed' };
    return resultsFor(partitions, await this.call('listOffsets', args, options));
  }

  async describeConfigs(
    resources: readonly ConfigResource[],
    options: AdminCallOptions & { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean } = {},
  ): Promise<Results<ConfigResource, readonly ConfigEntry[]>> {
    checkCall('describeConfigs', options, ['includeSynonyms', 'includeDocumentation']);
    checkItems('describeConfigs', 'resources', resources, fieldsOf.configResource);
    const { includeSynonyms = false, includeDocumentation = false } = options;
    const args = { resources, includeSynonyms, includeDocumentation };
    return resultsFor(resources, await this.call('describeConfigs', args, options));
  }

  /** Changes only the configurations that are named (KIP-339). */
  async incrementalAlterConfigs(
    resources: readonly ConfigResourceChanges[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<ConfigResource, null>> {
    checkCall('incrementalAlterConfigs', options, ['validateOnly']);
    checkItems('incrementalAlterConfigs', 'resources', resources, fieldsOf.configChanges);
    for (const [i, { resource, changes }] of resources.entries()) {
      checkItem('incrementalAlterConfigs', `resources[${i}].resource`, resource, fieldsOf.configResource);
      checkItems('incrementalAlterConfigs', `resources[${i}].changes`, changes, fieldsOf.configChange);
    }
    const { validateOnly = false } = options;
    const plain = await this.call('incrementalAlterConfigs', { resources, validateOnly }, options);
    return resultsFor(
      resources.map(({ resource }) => resource),
      plain,
    );
  }

  /**
   * The resources of these types that have a configuration; without types, those of all types. Kafka 4.1 and later; client metrics from 3.7 on.
   */
  listConfigResources(
    types: readonly ConfigResourceType[] = [],
    options: AdminCallOptions = {},
  ): Listing<readonly ConfigResource[], ConfigResource> {
    return new Listing(this.#listConfigResources(types, options), (resources) => resources);
  }

  async #listConfigResources(
    types: readonly ConfigResourceType[],
    options: AdminCallOptions,
  ): Promise<readonly ConfigResource[]> {
    checkCall('listConfigResources', options);
    checkEach('listConfigResources', 'types', types, 'text');
    return this.call('listConfigResources', { types }, options);
  }
}
