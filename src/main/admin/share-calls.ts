// Owns the calls about share groups and groups of Kafka Streams as applications make them. Application thread.

import type {
  DescribedShareGroup,
  DescribedStreamsGroup,
  ShareGroupOffset,
  ShareGroupOffsetToSet,
} from '../../common/admin/groups.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../common/admin/topics.ts';
import { check, checkCall, checkEach, checkGroups, checkItems, fieldsOf } from './admin-arguments.ts';
import { cloneable } from './admin-calls.ts';
import { type DescribeGroupsOptions, GroupCalls } from './group-calls.ts';
import { type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';

export class ShareCalls extends GroupCalls {
  /** Share groups with their members (KIP-932); Kafka 4.2 and later. */
  async describeShareGroups(
    groups: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<string, DescribedShareGroup>> {
    return this.describeGroups('describeShareGroups', groups, options);
  }

  /**
   * Where share groups begin in each partition; null where a group has not begun.
   * @param groups each with the partitions to ask about; without any: all that it has begun
   */
  async listShareGroupOffsets(
    groups: readonly { readonly groupId: string; readonly partitions?: readonly TopicPartitionKey[] }[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, Map<TopicPartitionKey, Outcome<ShareGroupOffset | null>>>> {
    checkCall('listShareGroupOffsets', options);
    checkGroups('listShareGroupOffsets', groups);
    const plain = await this.call('listShareGroupOffsets', { groups }, options);
    const mapped = plain.map(([groupId, outcome]) => {
      if (!outcome.ok) return [groupId, outcome] as const;
      const offsets = new Map(outcome.value.map(([key, one]) => [key, outcomeOf(one)] as const));
      return [groupId, { ok: true, value: offsets }] as const;
    });
    return resultsOf(mapped);
  }

  /** Sets where a share group without members begins; a group that has some is refused with NON_EMPTY_GROUP. */
  async alterShareGroupOffsets(
    groupId: string,
    offsets: readonly ShareGroupOffsetToSet[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkCall('alterShareGroupOffsets', options);
    check('alterShareGroupOffsets', 'groupId', groupId, 'text');
    checkItems('alterShareGroupOffsets', 'offsets', offsets, fieldsOf.shareOffset);
    const cloned = offsets.map((one) => ({ ...one, startOffset: cloneable(one.startOffset) }));
    const plain = await this.call('alterShareGroupOffsets', { groupId, offsets: cloned }, options);
    return resultsFor(offsets, plain);
  }

  /** Makes a share group without members forget topics. Outcomes are by topic. */
  async deleteShareGroupOffsets(
    groupId: string,
    topics: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, null>> {
    checkCall('deleteShareGroupOffsets', options);
    check('deleteShareGroupOffsets', 'groupId', groupId, 'text');
    checkEach('deleteShareGroupOffsets', 'topics', topics, 'text');
    return resultsOf(await this.call('deleteShareGroupOffsets', { groupId, topics }, options));
  }

  /** Groups of Kafka Streams with their members and tasks (KIP-1071); Kafka 4.1 and later. */
  async describeStreamsGroups(
    groups: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<string, DescribedStreamsGroup>> {
    return this.describeGroups('describeStreamsGroups', groups, options);
  }

  /** The same as `listConsumerGroupOffsets`: groups of Kafka Streams commit offsets as consumer groups do. Java's name. */
  async listStreamsGroupOffsets(
    ...args: Parameters<GroupCalls['listConsumerGroupOffsets']>
  ): ReturnType<GroupCalls['listConsumerGroupOffsets']> {
    return this.listConsumerGroupOffsets(...args);
  }

  /** The same as `alterConsumerGroupOffsets`. Java's name. */
  async alterStreamsGroupOffsets(
    ...args: Parameters<GroupCalls['alterConsumerGroupOffsets']>
  ): ReturnType<GroupCalls['alterConsumerGroupOffsets']> {
    return this.alterConsumerGroupOffsets(...args);
  }

  /** The same as `deleteConsumerGroupOffsets`. Java's name. */
  async deleteStreamsGroupOffsets(
    ...args: Parameters<GroupCalls['deleteConsumerGroupOffsets']>
  ): ReturnType<GroupCalls['deleteConsumerGroupOffsets']> {
    return this.deleteConsumerGroupOffsets(...args);
  }
}
