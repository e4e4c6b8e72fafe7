// Owns the Admin that applications call. Application thread. A thin proxy: each call is one message to the network thread,
// where it is routed, repeated and timed (worker/admin).

import type Long from 'long';
import type { AdminCallName, AdminCalls } from '../../common/admin/calls.ts';
import type { DescribedCluster } from '../../common/admin/cluster.ts';
import type {
  ConfigEntry,
  ConfigResource,
  ConfigResourceChanges,
  ConfigResourceType,
} from '../../common/admin/configs.ts';
import type {
  CommittedOffset,
  DescribedConsumerGroup,
  ListedGroup,
  MemberToRemove,
  OffsetToCommit,
} from '../../common/admin/groups.ts';
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
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { type Outcome, outcomeOf, type Results, resultsOf, withLongs } from './results.ts';

export interface AdminOptions {
  /** Limit of each call with its retries, ms; a call may set its own. Default 60000. */
  readonly timeoutMs?: number;
}

export interface ChangeCallOptions extends AdminCallOptions {
  /** Only check the request, and change nothing; default false. */
  readonly validateOnly?: boolean;
  /** Wait while the controller's quota is exceeded (KIP-599); default true. */
  readonly retryOnQuotaViolation?: boolean;
}

/** Runs a call in the network thread. Rejects with the call's error, or when the client is closed. */
export type RunAdminCall = <Name extends AdminCallName>(
  name: Name,
  args: AdminCalls[Name]['args'],
  timeoutMs: number,
) => Promise<AdminCalls[Name]['answer']>;

const defaultTimeoutMs = 60_000;
const same = <T>(key: T): T => key;

/**
 * Administration of a cluster: topics, configurations, groups and their offsets. Made by `client.admin()`; it has no life of its
 * own, and shares the client's connections.
 *
 * Calls about many items answer with `Results`: a Map with an outcome for each item. A call rejects only when nothing can be said
 * about any item: KafkaTimeoutError, Cancelled when the client was closed, UnsupportedVersionError when the brokers are too old.
 */
export class Admin {
  readonly #run: RunAdminCall;
  readonly #timeoutMs: number;

  /** Internal: clients make them. */
  constructor(run: RunAdminCall, { timeoutMs = defaultTimeoutMs }: AdminOptions = {}) {
    this.#run = run;
    this.#timeoutMs = checkTimeout(timeoutMs);
  }

  /**
   * Creates topics. Source: KIP-4
   * @param options `waitForLeaders`: also wait until a broker names a leader of each new partition; default false
   */
  async createTopics(
    topics: readonly NewTopic[],
    options: ChangeCallOptions & { readonly waitForLeaders?: boolean } = {},
  ): Promise<Results<string, CreatedTopic>> {
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.#call('createTopics', { topics, ...rest }, timeoutMs), same);
  }

  /** Deletes topics by name. Brokers go on deleting after they have answered. */
  async deleteTopics(topics: readonly string[], options: ChangeCallOptions = {}): Promise<Results<string, null>> {
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.#call('deleteTopics', { topics, ...rest }, timeoutMs), same);
  }

  /** Adds partitions to topics. */
  async createPartitions(
    topics: readonly NewPartitions[],
    options: ChangeCallOptions = {},
  ): Promise<Results<string, null>> {
    const { timeoutMs, ...rest } = options;
    return resultsOf(await this.#call('createPartitions', { topics, ...rest }, timeoutMs), same);
  }

  /** All topics that this user may see, by name. Internal ones only with `includeInternal`. */
  listTopics(options: AdminCallOptions & { readonly includeInternal?: boolean } = {}): Promise<readonly ListedTopic[]> {
    return this.#call('listTopics', { includeInternal: options.includeInternal === true }, options.timeoutMs);
  }

  async describeTopics(
    topics: readonly string[],
    options: AdminCallOptions & { readonly includeAuthorizedOperations?: boolean } = {},
  ): Promise<Results<string, DescribedTopic>> {
    const includeAuthorizedOperations = options.includeAuthorizedOperations === true;
    const plain = await this.#call('describeTopics', { topics, includeAuthorizedOperations }, options.timeoutMs);
    return resultsOf(plain, same);
  }

  /** Deletes the oldest records of partitions. Values: the new first offset (KIP-107). */
  async deleteRecords(
    partitions: readonly RecordsToDelete[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, Long>> {
    const cloned = partitions.map((one) => ({ ...one, beforeOffset: cloneable(one.beforeOffset) }));
    return resultsOf(await this.#call('deleteRecords', { partitions: cloned }, options.timeoutMs), same);
  }

  /**
   * Offsets of partitions: the first, the next to be written, or by time.
   * @param options `isolationLevel`: with `read_committed`, `latest` is the first offset of the oldest open transaction
   */
  async listOffsets(
    partitions: readonly (TopicPartitionKey & { readonly at: OffsetSpec })[],
    options: AdminCallOptions & { readonly isolationLevel?: 'read_uncommitted' | 'read_committed' } = {},
  ): Promise<Results<TopicPartitionKey, ListedOffset>> {
    const cloned = partitions.map(({ topic, partition, at }) => ({
      topic,
      partition,
      at: typeof at === 'string' ? at : { timestampMs: cloneable(at.timestampMs) },
    }));
    const args = { partitions: cloned, isReadCommitted: options.isolationLevel === 'read_committed' };
    return resultsOf(await this.#call('listOffsets', args, options.timeoutMs), same);
  }

  async describeConfigs(
    resources: readonly ConfigResource[],
    options: AdminCallOptions & { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean } = {},
  ): Promise<Results<ConfigResource, readonly ConfigEntry[]>> {
    const { includeSynonyms = false, includeDocumentation = false, timeoutMs } = options;
    const args = { resources, includeSynonyms, includeDocumentation };
    return resultsOf(await this.#call('describeConfigs', args, timeoutMs), same);
  }

  /** Changes the keys that are named, and no other (KIP-339). */
  async incrementalAlterConfigs(
    resources: readonly ConfigResourceChanges[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<ConfigResource, null>> {
    const { validateOnly = false, timeoutMs } = options;
    return resultsOf(await this.#call('incrementalAlterConfigs', { resources, validateOnly }, timeoutMs), same);
  }

  /** What has a configuration of these types; Kafka 4.1 and later, client metrics from 3.7 on. */
  listConfigResources(
    types: readonly ConfigResourceType[],
    options: AdminCallOptions = {},
  ): Promise<readonly ConfigResource[]> {
    return this.#call('listConfigResources', { types }, options.timeoutMs);
  }

  describeCluster(
    options: AdminCallOptions & { readonly includeFencedBrokers?: boolean } = {},
  ): Promise<DescribedCluster> {
    const { includeFencedBrokers = false, timeoutMs } = options;
    return this.#call('describeCluster', { includeFencedBrokers }, timeoutMs);
  }

  /** Groups of all brokers. A broker that does not answer is in `errors`, and costs only the groups that it coordinates. */
  async listGroups(
    options: AdminCallOptions & {
      readonly states?: readonly string[];
      readonly types?: readonly ('classic' | 'consumer' | 'share' | 'streams')[];
      readonly protocolTypes?: readonly string[];
    } = {},
  ): Promise<{ readonly groups: readonly ListedGroup[]; readonly errors: ReadonlyMap<number, Error> }> {
    const { states = [], types = [], protocolTypes = [], timeoutMs } = options;
    const { groups, errors } = await this.#call('listGroups', { states, types, protocolTypes }, timeoutMs);
    return { groups, errors: new Map(errors.map(({ brokerId, error }) => [brokerId, fromPlainError(error)])) };
  }

  /** Consumer groups of both protocols. */
  async describeConsumerGroups(
    groups: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, DescribedConsumerGroup>> {
    return resultsOf(await this.#call('describeConsumerGroups', { groups }, options.timeoutMs), same);
  }

  /** Deletes groups of any type with their offsets; one that has members is refused with NON_EMPTY_GROUP. */
  async deleteGroups(groups: readonly string[], options: AdminCallOptions = {}): Promise<Results<string, null>> {
    return resultsOf(await this.#call('deleteGroups', { groups }, options.timeoutMs), same);
  }

  /**
   * What groups have committed, partition by partition; null where nothing was.
   * @param groups each with the partitions to ask about; without any: all that have an offset
   * @param options `requireStable`: wait for transactions that are about to change an offset (KIP-447); default true
   */
  async listConsumerGroupOffsets(
    groups: readonly { readonly groupId: string; readonly partitions?: readonly TopicPartitionKey[] }[],
    options: AdminCallOptions & { readonly requireStable?: boolean } = {},
  ): Promise<Results<string, Map<TopicPartitionKey, Outcome<CommittedOffset | null>>>> {
    const { requireStable = true, timeoutMs } = options;
    const plain = await this.#call('listConsumerGroupOffsets', { groups, requireStable }, timeoutMs);
    const mapped = plain.map(([groupId, outcome]) => {
      if (!outcome.ok) return [groupId, outcome] as const;
      const offsets = new Map(outcome.value.map(([key, one]) => [key, outcomeOf(one)] as const));
      return [groupId, { ok: true, value: offsets }] as const;
    });
    return resultsOf(mapped, same);
  }

  /** Sets offsets of a group that has no members; a group that has some is refused with UNKNOWN_MEMBER_ID. */
  async alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    const cloned = offsets.map((one) => ({ ...one, offset: cloneable(one.offset) }));
    return resultsOf(
      await this.#call('alterConsumerGroupOffsets', { groupId, offsets: cloned }, options.timeoutMs),
      same,
    );
  }

  async deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartitionKey[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionKey, null>> {
    return resultsOf(await this.#call('deleteConsumerGroupOffsets', { groupId, partitions }, options.timeoutMs), same);
  }

  /** Ends memberships: of static members by instance id, or of all members. Outcomes by instance id, else by member id. */
  async removeMembersFromConsumerGroup(
    groupId: string,
    members: readonly MemberToRemove[] | 'all',
    options: AdminCallOptions & { readonly reason?: string } = {},
  ): Promise<Results<string, null>> {
    const { reason = 'removed by an administrator', timeoutMs } = options;
    return resultsOf(await this.#call('removeMembersFromConsumerGroup', { groupId, members, reason }, timeoutMs), same);
  }

  async #call<Name extends AdminCallName>(
    name: Name,
    args: AdminCalls[Name]['args'],
    timeoutMs: number = this.#timeoutMs,
  ): Promise<AdminCalls[Name]['answer']> {
    return withLongs(await this.#run(name, args, checkTimeout(timeoutMs)));
  }
}

/** A Long would lose its class on the way. */
function cloneable(value: Long | number | bigint): number | bigint {
  return typeof value === 'object' ? value.toBigInt() : value;
}

function checkTimeout(timeoutMs: number): number {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 0) return timeoutMs;
  throw new TypeError(`timeoutMs must be a number of milliseconds from 0 on, not ${String(timeoutMs)}`);
}
