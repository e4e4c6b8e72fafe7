// Owns the Admin's calls about groups and their offsets. Application thread.

import type { AdminCalls as Calls } from '../../common/admin/calls.ts';
import type {
  CommittedOffset,
  DescribedClassicGroup,
  DescribedConsumerGroup,
  ListedGroup,
  MemberToRemove,
  OffsetToCommit,
} from '../../common/admin/groups.ts';
import type { AdminCallOptions, PlainResults } from '../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../common/admin/topics.ts';
import { check, checkCall, checkEach, checkGroups, checkItems, fieldsOf } from './admin-arguments.ts';
import { cloneable } from './admin-calls.ts';
import { Listing } from './listing.ts';
import { errorsByBroker, type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';
import { TopicCalls } from './topic-calls.ts';

type ListGroupsOptions = AdminCallOptions & {
  readonly states?: readonly string[];
  readonly types?: readonly ('classic' | 'consumer' | 'share' | 'streams')[];
  readonly protocolTypes?: readonly string[];
};

export interface FoundGroups {
  readonly groups: readonly ListedGroup[];
  readonly errors: ReadonlyMap<number, Error>;
}

export interface DescribeGroupsOptions extends AdminCallOptions {
  /** Whether to ask what this user may do with each group (KIP-430). Default false. */
  readonly includeAuthorizedOperations?: boolean;
}

type DescribingCall =
  | 'describeConsumerGroups'
  | 'describeClassicGroups'
  | 'describeShareGroups'
  | 'describeStreamsGroups';
type DescribedBy<Name extends DescribingCall> =
  Calls[Name]['answer'] extends PlainResults<string, infer Described> ? Described : never;

export class GroupCalls extends TopicCalls {
  /** The groups of all brokers. `errors` has the brokers that did not answer; only the groups that they coordinate are missing. */
  listGroups(options: ListGroupsOptions = {}): Listing<FoundGroups, ListedGroup> {
    return new Listing(this.#listGroups(options), ({ groups }) => groups);
  }

  async #listGroups(options: ListGroupsOptions): Promise<FoundGroups> {
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
    options: DescribeGroupsOptions = {},
  ): Promise<Results<string, DescribedConsumerGroup>> {
    return this.describeGroups('describeConsumerGroups', groups, options);
  }

  /**
   * Describes groups of the classic protocol, of any protocol type, such as those of Kafka Connect. What members say stays bytes: Kafka's
   * admin clients read only those of consumers, which `describeConsumerGroups` describes.
   */
  async describeClassicGroups(
    groups: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<string, DescribedClassicGroup>> {
    return this.describeGroups('describeClassicGroups', groups, options);
  }

  protected async describeGroups<Name extends DescribingCall>(
    name: Name,
    groups: readonly string[],
    options: DescribeGroupsOptions,
  ): Promise<Results<string, DescribedBy<Name>>> {
    checkCall(name, options, ['includeAuthorizedOperations']);
    checkEach(name, 'groups', groups, 'text');
    const args = { groups, includeAuthorizedOperations: options.includeAuthorizedOperations === true };
    return resultsOf((await this.call(name, args, options)) as PlainResults<string, DescribedBy<Name>>);
  }

  /** Deletes groups of any type with their offsets. A group with members is refused with NON_EMPTY_GROUP. */
  async deleteGroups(groups: readonly string[], options: AdminCallOptions = {}): Promise<Results<string, null>> {
    return this.#deleteGroups('deleteGroups', groups, options);
  }

  /** The same as `deleteGroups`: brokers do not ask for the type. Java's name. */
  async deleteConsumerGroups(
    groups: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, null>> {
    return this.#deleteGroups('deleteConsumerGroups', groups, options);
  }

  /** The same as `deleteGroups`: brokers do not ask for the type. Java's name. */
  async deleteShareGroups(groups: readonly string[], options: AdminCallOptions = {}): Promise<Results<string, null>> {
    return this.#deleteGroups('deleteShareGroups', groups, options);
  }

  /** The same as `deleteGroups`: brokers do not ask for the type. Java's name. */
  async deleteStreamsGroups(groups: readonly string[], options: AdminCallOptions = {}): Promise<Results<string, null>> {
    return this.#deleteGroups('deleteStreamsGroups', groups, options);
  }

  async #deleteGroups(
    name: string,
    groups: readonly string[],
    options: AdminCallOptions,
  ): Promise<Results<string, null>> {
    checkCall(name, options);
    checkEach(name, 'groups', groups, 'text');
    return resultsOf(await this.call('deleteGroups', { groups }, options));
  }

  /**
   * The committed offsets of groups, by partition. Null if nothing was committed.
   * @param groups each group with the partitions to look up; without partitions: all that have an offset
   * @param options `requireStable`: whether to wait for open transactions that will change an offset (KIP-447), which brokers before 2.5 cannot; default true
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
