// Owns every option of a producer: its type, unit, default, range and meaning, declared once. Every thread. Validation is
// producer-config.ts.
// Source: Kafka's ProducerConfig; the names are its keys in camelCase with the unit last.

import { type ConfigOption, integer, KiB, MiB, maxInt32, type ValueOf } from './config-kinds.ts';

/** Those that a table describes; `acks`, `partitioner` and `compressionLevel` have kinds of their own. */
export const producerOptions = {
  enableIdempotence: {
    type: 'boolean',
    default: true,
    doc: 'Producer id and sequence numbers: no duplicates and no changed order within a partition, for the life of the producer. Switched off when `acks` or `retries` exclude it and it was not asked for.',
  },
  retries: integer(
    maxInt32,
    0,
    maxInt32,
    'How often a batch is sent again at most. Better left alone: `deliveryTimeoutMs` bounds it by time.',
  ),
  deliveryTimeoutMs: integer(
    120000,
    0,
    maxInt32,
    'From the making of a batch to its success or failure: waiting, sending and all retries. At least `lingerMs` + `requestTimeoutMs`.',
  ),
  requestTimeoutMs: integer(
    30000,
    1,
    maxInt32,
    "One request; also sent along as the broker's limit for its wait for replicas.",
  ),
  lingerMs: integer(
    5,
    0,
    maxInt32,
    'How long a batch waits for more records. A full batch does not wait, nor does a record given to `send` while nothing of its partition is on its way.',
  ),
  batchSizeBytes: integer(
    16 * KiB,
    0,
    1 << 30,
    'Size of a batch (of one partition) at which it is full; 0: one record in each. Also the step of the sticky partitioner.',
  ),
  bufferMemoryBytes: integer(
    32 * MiB,
    64 * KiB,
    maxInt32,
    'All records that are not settled: shared memory, batches waiting, on their way, or to be sent again.',
  ),
  maxBlockMs: integer(
    60000,
    0,
    maxInt32,
    'Longest wait for metadata of a topic, for room (`ready`), and of the calls of a transaction.',
  ),
  maxRequestSizeBytes: integer(
    1 * MiB,
    0,
    1 << 30,
    "Largest record (before compression) and largest request. The broker's own limit is `message.max.bytes`.",
  ),
  maxInFlightRequestsPerConnection: integer(
    5,
    1,
    65535,
    'Requests of producers to one broker that may await their answer at a time; with idempotence at most 5.',
  ),
  compressionType: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    doc: 'How batches are compressed, in the network thread or its pool.',
  },
  retryBackoffMs: integer(100, 0, maxInt32, 'Wait before a batch is sent again; doubles with each failure.'),
  retryBackoffMaxMs: integer(1000, 0, maxInt32, 'Limit of that wait, before 20 % of jitter.'),
  partitionerIgnoreKeys: {
    type: 'boolean',
    default: false,
    doc: 'Records with a key are spread like those without.',
  },
  partitionerAdaptivePartitioningEnable: {
    type: 'boolean',
    default: true,
    doc: 'Records without a key prefer partitions with short queues (KIP-794).',
  },
  partitionerAvailabilityTimeoutMs: integer(
    0,
    0,
    maxInt32,
    'A partition whose broker takes nothing for that long gets no records without a key; 0: never.',
  ),
  partitionerRackAware: {
    type: 'boolean',
    default: false,
    doc: 'Records without a key go to partitions whose leader is in `clientRack`, if there are any.',
  },
  clientRack: { type: 'string', default: '', maxBytes: 255, doc: 'Rack of this client, for `partitionerRackAware`.' },
  transactionalId: {
    type: 'string',
    default: null,
    maxBytes: 32767,
    doc: 'Makes the producer transactional; one that starts with the same id ends the one before. Implies idempotence.',
  },
  transactionTimeoutMs: integer(
    60000,
    1,
    maxInt32,
    "The broker aborts a transaction that is open for longer; at most the broker's `transaction.max.timeout.ms`.",
  ),
  metadataMaxIdleMs: integer(
    300000,
    5000,
    maxInt32,
    'The metadata of a topic that nothing is produced to for that long is no longer refreshed.',
  ),
} as const satisfies Record<string, ConfigOption>;

/** What is said of the options that are not in the table, for the page. */
export const otherProducerOptions = {
  acks: {
    type: '`all`, -1, 1, 0',
    default: 'all',
    doc: 'Who must have a batch before the broker answers: all in-sync replicas, the leader, nobody (then there is no answer at all).',
  },
  compressionLevel: {
    type: 'integer, or null',
    default: 'null',
    doc: 'gzip: 1 to 9; zstd: -131072 to 22. Null: the default of the codec.',
  },
  partitioner: {
    type: '`murmur2`, `crc32`, or a function',
    default: 'murmur2',
    doc: "Where records go that name no partition. `murmur2`: the hash of the key as Java's producer; `crc32`: as librdkafka's default, where an empty key counts as none. Records without a key are spread. A function `(topic, key, value, partitionCount) => partition` runs in the calling thread.",
  },
} as const;

type TableValues = { readonly [K in keyof typeof producerOptions]: ValueOf<(typeof producerOptions)[K]> };

export type PartitionerName = 'murmur2' | 'crc32';

/** The effective configuration of a producer, validated and frozen; plain data, but for nothing. */
export interface ProducerConfig extends TableValues {
  /** -1: all in-sync replicas. */
  readonly acks: -1 | 0 | 1;
  readonly compressionLevel: number | null;
  /** How keys are hashed where no partition is given. */
  readonly partitioner: PartitionerName;
}
