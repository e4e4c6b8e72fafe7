// Owns the Admin's calls about groups and their offsets. Application thread.

import type {
  CommittedOffset,
  DescribedConsumerGroup,
  ListedGroup,
  MemberToRemove,
  OffsetToCommit,
} from '../../common/admin/groups.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../common/admin/topics.ts';
import { check, checkCall, checkEach, checkGroups, checkItems, fieldsOf } from './admin-arguments.ts';
import { cloneable } from './admin-calls.ts';
import { errorsByBroker, type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';
import { TopicCalls } from './topic-calls.ts';

export class GroupCalls extends TopicCalls {
  /** The groups of all brokers. `errors` has the brokers that did not answer; only the groups that they coordinate are missing. */
  async listGroups(
    options: AdminCallOptions & {
      readonly states?: readonly string[];
      readonly types?: readonly ('classic' | 'consumer' | 'share' | 'streams')[];
      readonly protocolTypes?: readonly string[];
    } = {},
  ): Promise<{ readonly groups: readonly ListedGroup[]; readonly errors: ReadonlyMap<number, Error> }> {
    checkCall('listGroups', options, ['states', 'types', 'protocolTypes']);
    for (const name of ['states', 'types', 'protocolTypes'] as const)
      checkEach('listGroups', name, options[name] ?? [], 'text');
    const { states = [], types = [], protocolTypes = [] } = options;
    const { groups, errors } = await this.call('listGroups', { states, types, protocolTypes }, options);
    return { groups, errors: errorsByBroker(errors) };
  }

  /** Describes consumer groups of both protocols. */
  async describeConsumerGroups(
    groups: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, DescribedConsumerGroup>> {
    checkCall('describeConsumerGroups', options);
    checkEach('describeConsumerGroups', 'groups', groups, 'text');
    return resultsOf(await this.call('describeConsumerGroups', { groups }, options));
  }

  /** Deletes groups of any type with their offsets. A group with members is refused with NON_EMPTY_GROUP. */
  async deleteGroups(groups: readonly string[], options: AdminCallOptions = {}): Promise<Results<string, null>> {
    checkCall('deleteGroups', options);
    checkEach('deleteGroups', 'groups', groups, 'text');
    return resultsOf(await this.call('deleteGroups', { groups }, options));
  }

  /**
   * The committed offsets of groups, by partition. Null if nothing was committed.
   * @param groups each group with the partitions to look up; without partitions: all that have an offset
   * @param options `requireStable`: whether to wait for open transactions that will change an offset (KIP-447); default true
   */
  async listConsumerGroupOffsets(
    groups: readonly { readonly groupId: string; readonly partitions?: readonly TopicPartitionKey[] }[],
    options: AdminCallOptions & { readonly requireStable?: boolean } = {},
  ): Promise<Results<string, Map<TopicPartitionKey, Outcome<CommittedOffset | null>>>> {
    checkCall('listConsumerGroupOffsets', options, ['requireStable']);
    checkGroups('listConsumerGroupOffsets', groups);
    const { requireStable = true } = options;
    const plain = await this.call('listConsumerGroupOffsets', { groups, requireStable }, options);
    const mapped = plain.map(([groupId, outcome]) => {
      if (!outcome.ok) return [groupId, outcome] as const;
      const offsets = new Map(outcome.value.map(([key, one]) => [key, outcomeOf(one)] as const));
      return [groupId, { ok: true, value: offsets }] as const;
    });
    return resultsOf(mapped);
  }

  /** Sets offsets of a group without members. A group with members is refused with UNKNOWN_MEMBER_ID. */
  async alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkCall('alterConsumerGroupOffsets', options);
    check('alterConsumerGroupOffsets', 'groupId', groupId, 'text');
    checkItems('alterConsumerGroupOffsets', 'offsets', offsets, fieldsOf.offsetToCommit);
    const cloned = offsets.map((one) => ({ ...one, offset: cloneable(one.offset) }));
    return resultsFor(offsets, await this.call('alterConsumerGroupOffsets', { groupId, offsets: cloned }, options));
  }

  async deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartitionKey[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    checkCall('deleteConsumerGroupOffsets', options);
    check('deleteConsumerGroupOffsets', 'groupId', groupId, 'text');
    checkItems('deleteConsumerGroupOffsets', 'partitions', partitions, fieldsOf.place);
    return resultsFor(partitions, await this.call('deleteConsumerGroupOffsets', { groupId, partitions }, options));
  }

  /** Removes static members by instance id, or all members. Outcomes are by instance id, or by member id for members without one. */
  async removeMembersFromConsumerGroup(
    groupId: string,
    members: readonly MemberToRemove[] | 'all',
    options: AdminCallOptions & { readonly reason?: string } = {},
  ): Promise<Results<string, null>> {
    checkCall('removeMembersFromConsumerGroup', options, ['reason']);
    check('removeMembersFromConsumerGroup', 'groupId', groupId, 'text');
    if (members !== 'all') checkItems('removeMembersFromConsumerGroup', 'members', members, fieldsOf.memberToRemove);
    const { reason = 'removed by an administrator' } = options;
    return resultsOf(await this.call('removeMembersFromConsumerGroup', { groupId, members, reason }, options));
  }
}
