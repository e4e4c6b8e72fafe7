// Owns the list of a producer's options: type, unit, default, range and meaning of each. Every thread. producer-config.ts validates
// them.
// Source: Kafka's ProducerConfig; the names are its keys in camelCase with the unit last.

import { maxInt32 } from '../numbers.ts';
import { type ConfigOption, integer, KiB, MiB, type ValueOf } from './config-kinds.ts';

/** The options that a table can describe. `acks`, `partitioner` and `compressionLevel` have kinds of their own. */
export const producerOptions = {
  enableIdempotence: {
    type: 'boolean',
    default: true,
    doc: 'Use a producer id and sequence numbers: during the life of the producer, no record is written twice or out of order within its partition. If it is not set, it is switched off when `acks` or `retries` do not allow it.',
  },
  retries: integer(
    maxInt32,
    0,
    maxInt32,
    'How often a batch is sent again at most. It is better to limit retries by `deliveryTimeoutMs`.',
  ),
  deliveryTimeoutMs: integer(
    120000,
    0,
    maxInt32,
    'Limit of the time from the beginning of a batch to its success or failure, with waiting, sending and all retries. At least `lingerMs` + `requestTimeoutMs`.',
  ),
  requestTimeoutMs: integer(
    30000,
    1,
    maxInt32,
    'Limit of one request. The broker is told a little less, as the limit of its wait for replicas, so that it still answers.',
  ),
  lingerMs: integer(
    5,
    0,
    maxInt32,
    'How long a batch waits for more records. A full batch does not wait. A record of `send` does not wait if nothing of its partition is being sent.',
  ),
  batchSizeBytes: integer(
    16 * KiB,
    0,
    1 << 30,
    'Size at which a batch of one partition is full. 0: each batch has one record. Also, the sticky partitioner changes the partition after so many bytes.',
  ),
  bufferMemoryBytes: integer(
    32 * MiB,
    64 * KiB,
    maxInt32,
    'Limit of the memory of all records that are not settled: in shared memory, in waiting batches, in requests under way, or in batches to be sent again.',
  ),
  maxBlockMs: integer(
    60000,
    0,
    maxInt32,
    'Limit of the wait for metadata of a topic, of the wait for room (`ready`), and of the calls of a transaction.',
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
    'How many requests of producers to one broker may await their response at a time. With idempotence at most 5.',
  ),
  compressionType: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    doc: 'How batches are compressed. The network thread or its codec pool does it.',
  },
  retryBackoffMs: integer(100, 0, maxInt32, 'Wait before a batch is sent again. It doubles with each failure.'),
  retryBackoffMaxMs: integer(1000, 0, maxInt32, 'Limit of that wait, before 20 % of jitter.'),
  partitionerIgnoreKeys: {
    type: 'boolean',
    default: false,
    doc: 'Whether records with a key are spread like records without a key.',
  },
  partitionerAdaptivePartitioningEnable: {
    type: 'boolean',
    default: true,
    doc: 'Whether records without a key go more often to partitions with short queues (KIP-794).',
  },
  partitionerAvailabilityTimeoutMs: integer(
    0,
    0,
    maxInt32,
    'When the broker of a partition has taken nothing for this time, the partition gets no records without a key. 0: no limit.',
  ),
  partitionerRackAware: {
    type: 'boolean',
    default: false,
    doc: 'Whether records without a key go to partitions whose leader is in `clientRack`, if there are any.',
  },
  clientRack: { type: 'string', default: '', maxBytes: 255, doc: 'Rack of this client, for `partitionerRackAware`.' },
  transactionalId: {
    type: 'string',
    default: null,
    maxBytes: 32767,
    doc: 'Makes the producer transactional. When another producer starts with the same id, it fences this one. Implies idempotence.',
  },
  transactionTimeoutMs: integer(
    60000,
    1,
    maxInt32,
    "The broker aborts a transaction that is open for longer than this. At most the broker's `transaction.max.timeout.ms`.",
  ),
  metadataMaxIdleMs: integer(
    300000,
    5000,
    maxInt32,
    'When nothing was produced to a topic for this time, its metadata is no longer refreshed.',
  ),
  enableMetricsPush: {
    type: 'boolean',
    default: true,
    doc: 'Whether the numbers of this producer are sent to brokers that want them (KIP-714). Brokers want none unless their operator has set that up.',
  },
} as const satisfies Record<string, ConfigOption>;

/** The documentation of the options that are not in the table. */
export const otherProducerOptions = {
  acks: {
    type: '`all`, -1, 1, 0',
    default: 'all',
    doc: 'Which brokers must have a batch before the leader answers: `all` in-sync replicas, only the leader (`1`), or none (`0`). With `0` there is no answer at all.',
  },
  compressionLevel: {
    type: 'integer, or null',
    default: 'null',
    doc: 'gzip: 1 to 9; zstd: -131072 to 22. Null: the default of the codec.',
  },
  partitioner: {
    type: '`murmur2`, `crc32`, or a function',
    default: 'murmur2',
    doc: "How the partition of a record is chosen if the record names none. `murmur2`: by the hash of the key, as in Java's producer. `crc32`: as in librdkafka's default, where an empty key counts as none. Records without a key are spread. A function `(topic, key, value, partitionCount) => partition` runs in the calling thread.",
  },
} as const;

type TableValues = { readonly [K in keyof typeof producerOptions]: ValueOf<(typeof producerOptions)[K]> };

export type PartitionerName = 'murmur2' | 'crc32';

/** The effective configuration of a producer, validated and frozen. It is plain data. */
export interface ProducerConfig extends TableValues {
  /** -1: all in-sync replicas. */
  readonly acks: -1 | 0 | 1;
  readonly compressionLevel: number | null;
  /** How keys are hashed for records that name no partition. */
  readonly partitioner: PartitionerName;
}
