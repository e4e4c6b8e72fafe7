// Owns the list of a consumer's options: type, unit, default, range and meaning of each. Every thread. consumer-config-parser.ts
// validates them.

import { maxInt32 } from '../numbers.ts';
import { type ConfigOption, integer, KiB, MiB, type ValueOf } from './config-kinds.ts';

/** The names of the assignors of the classic protocol. They are the same in Java. */
export const assignorNames = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const;
export type AssignorName = (typeof assignorNames)[number];

const optionalText = (doc: string) => ({ type: 'string', default: null, maxBytes: 32767, doc }) as const;
const optionalInteger = (min: number, max: number, doc: string) =>
  ({ type: 'integer', default: null, min, max, doc }) as const;

/** The options with plain values, in the order of the documentation. The others are in `ConsumerOptions`. */
export const consumerOptions = {
  groupId: optionalText('Group of the consumer. Null: none; then set partitions with `assign`.'),
  groupProtocol: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'consumer', 'classic'],
    doc: 'Protocol of the group: `consumer` is KIP-848, `classic` is the older one. `auto`: KIP-848 if the brokers have it.',
  },
  groupInstanceId: optionalText('Id of a static member (KIP-345). It keeps its partitions when it restarts.'),
  groupRemoteAssignor: optionalText(
    "Assignor in the broker, such as `uniform` or `range`. Protocol `consumer` only. Null: the broker's first one.",
  ),
  sessionTimeoutMs: optionalInteger(
    1,
    maxInt32,
    'A member without a heartbeat for this time is removed from the group. A join without an answer is sent again after this time, or `requestTimeoutMs` if that is longer, by another connection. Protocol `classic` only. Null: 45000.',
  ),
  heartbeatIntervalMs: optionalInteger(
    1,
    maxInt32,
    'Time between heartbeats. Protocol `classic` only; in protocol `consumer` the broker sets it. Null: 3000.',
  ),
  maxPollIntervalMs: integer(
    300_000,
    1,
    maxInt32,
    'The application counts as blocked when it asks for no records for this time. It is also the time in which a member must release partitions.',
  ),
  whenBlocked: {
    type: 'choice',
    default: 'keep',
    choices: ['keep', 'pause', 'leave'],
    doc: 'What happens when the application is blocked: `keep` changes nothing, `pause` stops fetching, `leave` leaves the group until the application asks for records again.',
  },
  whenRevoked: {
    type: 'choice',
    default: 'wait',
    choices: ['wait', 'drop'],
    doc: 'What happens when a partition must be released while the application has a batch of it: `wait` until the batch is done, as long as the group allows, or `drop` it at once.',
  },
  prefetchBytes: integer(
    64 * MiB,
    64 * KiB,
    maxInt32,
    'Limit of all fetched bytes that are kept for the application. Each partition has an equal share of it, or a batch if that is larger. A single batch may be larger than the limit.',
  ),
  batchMaxBytes: integer(
    1 * MiB,
    1,
    maxInt32,
    "Limit of the fetched bytes in one batch for the application. A broker's batch that is larger is handed out whole.",
  ),
  isolationLevel: {
    type: 'choice',
    default: 'read_uncommitted',
    choices: ['read_uncommitted', 'read_committed'],
    doc: 'With `read_committed`, the application gets no records of open and aborted transactions.',
  },
  clientRack: {
    type: 'string',
    default: '',
    maxBytes: 32767,
    doc: 'Rack of this process. Records are fetched from a replica in this rack (KIP-392).',
  },
  fetchMinBytes: integer(
    1,
    0,
    maxInt32,
    'A broker waits for so many bytes before it answers a fetch, at most `fetchMaxWaitMs`.',
  ),
  fetchMaxWaitMs: integer(500, 0, maxInt32, 'Longest time that a broker waits for `fetchMinBytes`.'),
  fetchMaxBytes: integer(
    50 * MiB,
    0,
    maxInt32,
    'Limit of the bytes in one fetch response. The first batch is sent whole even if it is larger.',
  ),
  maxPartitionFetchBytes: integer(
    1 * MiB,
    0,
    maxInt32,
    'Limit of the bytes of each partition in one fetch response. The first batch is sent whole even if it is larger.',
  ),
  allowAutoCreateTopics: {
    type: 'boolean',
    default: true,
    doc: 'Whether brokers may create the topics of a subscription by name.',
  },
  excludeInternalTopics: {
    type: 'boolean',
    default: true,
    doc: 'Whether a regular expression leaves out internal topics.',
  },
  defaultApiTimeoutMs: integer(60_000, 1, maxInt32, 'Limit of calls like `commit`, `committed` and `offsetsForTimes`.'),
  stalledMs: integer(
    60_000,
    1,
    maxInt32,
    'If a partition could be fetched but is not for this time, the event `stalled` is raised. If the group gives no assignment for this time, the event `error`.',
  ),
  enableMetricsPush: {
    type: 'boolean',
    default: true,
    doc: 'Whether the numbers of this consumer are sent to brokers that want them (KIP-714). Brokers want none unless their operator has set that up.',
  },
} as const satisfies Record<string, ConfigOption>;

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The place at which to begin, as plain data for structured clone and JSON. */
export type StartAt = 'earliest' | 'latest' | { readonly offset: string } | { readonly timestampMs: number };

export type OffsetReset =
  | 'earliest'
  | 'latest'
  | 'none'
  | { readonly agoMs: number }
  | { readonly timestampMs: number };

export interface AssignedStart extends TopicPartition {
  /** Null: the committed offset. If there is none, `autoOffsetReset`. */
  readonly start: StartAt | null;
}

/** The topics of a subscription: names, or a pattern that is matched here, or a pattern for the broker (RE2). */
export type Subscription =
  | { readonly names: readonly string[] }
  | { readonly pattern: { readonly source: string; readonly flags: string } }
  | { readonly brokerPattern: string };

export type CommitMode = 'processed' | 'manual';

/** The effective options, validated and frozen. They are plain data that crosses threads. */
export type ConsumerConfig = { readonly [K in keyof typeof consumerOptions]: ValueOf<(typeof consumerOptions)[K]> } & {
  readonly subscription: Subscription | null;
  readonly assign: readonly AssignedStart[] | null;
  readonly autoOffsetReset: OffsetReset;
  readonly commit: CommitMode;
  readonly commitEveryMs: number;
  readonly partitionAssignmentStrategy: readonly AssignorName[];
};
