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
  TopicPartitionKey,
} from '../../common/admin/topics.ts';
import { checkOptions } from '../../common/options.ts';
import { AdminCalls, type ChangeCallOptions, cloneable } from './admin-calls.ts';
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
    checkOptions('createTopics', options, ['timeoutMs', 'validateOnly', 'retryOnQuotaViolation', 'waitForLeaders']);
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.call('createTopics', { topics, ...rest }, timeoutMs));
  }

  /** Deletes topics by name. Brokers may still be deleting after the call has ended. */
  async deleteTopics(topics: readonly string[], options: ChangeCallOptions = {}): Promise<Results<string, null>> {
    checkOptions('deleteTopics', options, ['timeoutMs', 'validateOnly', 'retryOnQuotaViolation']);
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.call('deleteTopics', { topics, ...rest }, timeoutMs));
  }

  /** Adds partitions to topics. */
  async createPartitions(
    topics: readonly NewPartitions[],
    options: ChangeCallOptions = {},
  ): Promise<Results<string, null>> {
    checkOptions('createPartitions', options, ['timeoutMs', 'validateOnly', 'retryOnQuotaViolation']);
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.call('createPartitions', { topics, ...rest }, timeoutMs));
  }

  /** All topics that this user may see. Internal topics only with `includeInternal`. */
  listTopics(options: AdminCallOptions & { readonly includeInternal?: boolean } = {}): Promise<readonly ListedTopic[]> {
    checkOptions('listTopics', options, ['timeoutMs', 'includeInternal']);
    return this.call('listTopics', { includeInternal: options.includeInternal === true }, options.timeoutMs);
  }

  async describeTopics(
    topics: readonly string[],
    options: AdminCallOptions & { readonly includeAuthorizedOperations?: boolean } = {},
  ): Promise<Results<string, DescribedTopic>> {
    checkOptions('describeTopics', options, ['timeoutMs', 'includeAuthorizedOperations']);
    const includeAuthorizedOperations = options.includeAuthorizedOperations === true;
    const plain = await this.call('describeTopics', { topics, includeAuthorizedOperations }, options.timeoutMs);
    return resultsOf(plain);
  }

  /** Deletes the oldest records of partitions. A value is the new first offset (KIP-107). */
  async deleteRecords(
    partitions: readonly RecordsToDelete[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, Long>> {
    checkOptions('deleteRecords', options, ['timeoutMs']);
    const cloned = partitions.map((one) => ({ ...one, beforeOffset: cloneable(one.beforeOffset) }));
    return resultsFor(partitions, await this.call('deleteRecords', { partitions: cloned }, options.timeoutMs));
  }

  /**
   * Offsets of partitions: the first offset, the next one to be written, or the offset of a time.
   * @param options `isolationLevel`: with `read_committed`, `latest` is the first offset of the oldest open transaction
   */
  async listOffsets(
    partitions: readonly (TopicPartitionKey & { readonly at: OffsetSpec })[],
    options: AdminCallOptions & { readonly isolationLevel?: 'read_uncommitted' | 'read_committed' } = {},
  ): Promise<Results<TopicPartitionKey, ListedOffset>> {
    checkOptions('listOffsets', options, ['timeoutMs', 'isolationLevel']);
    const cloned = partitions.map(({ topic, partition, at }) => ({
      topic,
      partition,
      at: typeof at === 'string' ? at : { timestampMs: cloneable(at.timestampMs) },
    }));
    const args = { partitions: cloned, isReadCommitted: options.isolationLevel === 'read_committed' };
    return resultsFor(partitions, await this.call('listOffsets', args, options.timeoutMs));
  }

  async describeConfigs(
    resources: readonly ConfigResource[],
    options: AdminCallOptions & { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean } = {},
  ): Promise<Results<ConfigResource, readonly ConfigEntry[]>> {
    checkOptions('describeConfigs', options, ['timeoutMs', 'includeSynonyms', 'includeDocumentation']);
    const { includeSynonyms = false, includeDocumentation = false, timeoutMs } = options;
    const args = { resources, includeSynonyms, includeDocumentation };
    return resultsFor(resources, await this.call('describeConfigs', args, timeoutMs));
  }

  /** Changes only the configurations that are named (KIP-339). */
  async incrementalAlterConfigs(
    resources: readonly ConfigResourceChanges[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<ConfigResource, null>> {
    checkOptions('incrementalAlterConfigs', options, ['timeoutMs', 'validateOnly']);
    const { validateOnly = false, timeoutMs } = options;
    const plain = await this.call('incrementalAlterConfigs', { resources, validateOnly }, timeoutMs);
    return resultsFor(
      resources.map(({ resource }) => resource),
      plain,
    );
  }

  /** The resources of these types that have a configuration. Kafka 4.1 and later; client metrics from 3.7 on. */
  listConfigResources(
    types: readonly ConfigResourceType[],
    options: AdminCallOptions = {},
  ): Promise<readonly ConfigResource[]> {
    checkOptions('listConfigResources', options, ['timeoutMs']);
    return this.call('listConfigResources', { types }, options.timeoutMs);
  }
}
