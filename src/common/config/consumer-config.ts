// Owns every option of a consumer: its type, unit, default, range and meaning, declared once. Every thread. Validation is
// consumer-config-parser.ts.

import { type ConfigOption, integer, KiB, MiB, maxInt32, type ValueOf } from './config-kinds.ts';

/** Names of the assignors that members of the classic protocol know; the same as Java's. */
export const assignorNames = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const;
export type AssignorName = (typeof assignorNames)[number];

const optionalText = (doc: string) => ({ type: 'string', default: null, maxBytes: 32767, doc }) as const;
const optionalInteger = (min: number, max: number, doc: string) =>
  ({ type: 'integer', default: null, min, max, doc }) as const;

/** Options of plain values, in the order of the documentation; the others are in `ConsumerOptions`. */
export const consumerOptions = {
  groupId: optionalText('Group to be a member of. Null: none; partitions are given by `assign`.'),
  groupProtocol: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'consumer', 'classic'],
    doc: 'How the group is run: `consumer` is KIP-848, `classic` the older one. `auto`: KIP-848 where brokers have it.',
  },
  groupInstanceId: optionalText('Id of a static member (KIP-345): a restart keeps its partitions.'),
  groupRemoteAssignor: optionalText(
    "Assignor in the broker, such as `uniform` or `range`; protocol `consumer` only. Null: the broker's first.",
  ),
  sessionTimeoutMs: optionalInteger(
    1,
    maxInt32,
    'A member that was not heard of for this long is taken for dead; protocol `classic` only. Null: 45000.',
  ),
  heartbeatIntervalMs: optionalInteger(
    1,
    maxInt32,
    'Time between heartbeats; protocol `classic` only, else the broker says. Null: 3000.',
  ),
  maxPollIntervalMs: integer(
    300_000,
    1,
    maxInt32,
    'The application counts as blocked when it asks for nothing for this long; also the time the group gives a member to release partitions.',
  ),
  whenBlocked: {
    type: 'choice',
    default: 'keep',
    choices: ['keep', 'pause', 'leave'],
    doc: 'What follows when the application is blocked: `keep` all as it is, `pause` fetching, or `leave` the group until it asks again.',
  },
  whenRevoked: {
    type: 'choice',
    default: 'wait',
    choices: ['wait', 'drop'],
    doc: 'A partition is to be released while a batch of it is out: `wait` until it is done, as long as the group allows, or `drop` it at once.',
  },
  prefetchBytes: integer(
    64 * MiB,
    64 * KiB,
    maxInt32,
    'Bytes of fetched records kept for the application, in all; one batch that is larger goes alone.',
  ),
  batchMaxBytes: integer(
    1 * MiB,
    1,
    maxInt32,
    "Bytes of records handed out at a time, as they were fetched; a broker's batch that is larger goes whole.",
  ),
  isolationLevel: {
    type: 'choice',
    default: 'read_uncommitted',
    choices: ['read_uncommitted', 'read_committed'],
    doc: '`read_committed`: records of open and aborted transactions are not handed out.',
  },
  clientRack: {
    type: 'string',
    default: '',
    maxBytes: 32767,
    doc: 'Rack of this process: records are fetched from a replica there (KIP-392).',
  },
  fetchMinBytes: integer(1, 0, maxInt32, 'A broker waits for this many bytes before it answers a fetch.'),
  fetchMaxWaitMs: integer(500, 0, maxInt32, 'The longest that it waits for them.'),
  fetchMaxBytes: integer(
    50 * MiB,
    0,
    maxInt32,
    'Bytes of one fetch answer; the first batch comes whole even if it is larger.',
  ),
  maxPartitionFetchBytes: integer(1 * MiB, 0, maxInt32, 'The same for each partition in it.'),
  allowAutoCreateTopics: {
    type: 'boolean',
    default: true,
    doc: 'Whether brokers may create topics that are subscribed by name.',
  },
  excludeInternalTopics: {
    type: 'boolean',
    default: true,
    doc: 'Whether a regular expression passes over internal topics.',
  },
  defaultApiTimeoutMs: integer(
    60_000,
    1,
    maxInt32,
    'Limit of `commit`, `committed`, `offsetsForTimes` and their like.',
  ),
  stalledMs: integer(
    60_000,
    1,
    maxInt32,
    'A partition that could be fetched and is not for this long raises `stalled`.',
  ),
} as const satisfies Record<string, ConfigOption>;

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where to begin; structured clone and JSON carry it. */
export type StartAt = 'earliest' | 'latest' | { readonly offset: string } | { readonly timestampMs: number };

export type OffsetReset =
  | 'earliest'
  | 'latest'
  | 'none'
  | { readonly agoMs: number }
  | { readonly timestampMs: number };

export interface AssignedStart extends TopicPartition {
  /** Null: the committed offset, else `autoOffsetReset`. */
  readonly start: StartAt | null;
}

/** Topics wanted: names, or a pattern that is matched here, or one for the broker (RE2). */
export type Subscription =
  | { readonly names: readonly string[] }
  | { readonly pattern: { readonly source: string; readonly flags: string } }
  | { readonly brokerPattern: string };

export type CommitMode = 'processed' | 'manual';

/** The effective options, validated and frozen; plain data that crosses threads. */
export type ConsumerConfig = { readonly [K in keyof typeof consumerOptions]: ValueOf<(typeof consumerOptions)[K]> } & {
  readonly subscription: Subscription | null;
  readonly assign: readonly AssignedStart[] | null;
  readonly autoOffsetReset: OffsetReset;
  readonly commit: CommitMode;
  readonly commitEveryMs: number;
  readonly partitionAssignmentStrategy: readonly AssignorName[];
};
