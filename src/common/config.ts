// Owns every configuration key: its type, unit, default, range and meaning, declared once, and their validation into a
// frozen plain object. Runs on every thread. Must not open files or resolve names.

import { type BootstrapServer, parseBootstrapServers } from './bootstrap-servers.ts';
import { KafkaConfigurationError } from './errors.ts';

interface IntegerOption {
  type: 'integer';
  default: number;
  min: number;
  max: number;
  doc: string;
}
interface StringOption {
  type: 'string';
  default: string;
  /** In UTF-8. */
  maxBytes: number;
  doc: string;
}
interface BooleanOption {
  type: 'boolean';
  default: boolean;
  doc: string;
}
interface ChoiceOption {
  type: 'choice';
  default: string;
  choices: readonly string[];
  doc: string;
}
interface VersionOption {
  type: 'version';
  default: null;
  doc: string;
}
interface ServersOption {
  type: 'servers';
  default: string;
  doc: string;
}
export type ConfigOption = IntegerOption | StringOption | BooleanOption | ChoiceOption | VersionOption | ServersOption;

const maxInt32 = 2147483647;
const KiB = 1024;
const MiB = 1024 * 1024;

const integer = (value: number, min: number, max: number, doc: string): IntegerOption => ({
  type: 'integer',
  default: value,
  min,
  max,
  doc,
});

/** Every option of `KafkaClient.start`, in the order of the documentation. */
export const configOptions = {
  bootstrapServers: {
    type: 'servers',
    default: 'localhost:9092',
    doc: 'Servers to start from: a list, or one string with commas, of `host:port`; port 9092 when left out.',
  },
  clientId: {
    type: 'string',
    default: 'offthread-kafka',
    // An int16 length in every request header.
    maxBytes: 32767,
    doc: 'Sent in every request header; brokers log and quota by it.',
  },
  reconnectBackoffMs: integer(
    50,
    0,
    maxInt32,
    'Wait before the first reconnection to a node; doubles with each failure.',
  ),
  reconnectBackoffMaxMs: integer(1000, 0, maxInt32, 'Limit of the reconnection wait, before 20 % of jitter.'),
  requestTimeoutMs: integer(
    30000,
    1,
    maxInt32,
    'Life of a request from `send` to its response, judged in the network thread.',
  ),
  connectionSetupTimeoutMs: integer(
    10000,
    1,
    maxInt32,
    'Limit of one connection attempt: name look-up, TCP and version exchange together; doubles with each failure (KIP-601).',
  ),
  connectionSetupTimeoutMaxMs: integer(
    30000,
    1,
    maxInt32,
    'Limit of the doubling of `connectionSetupTimeoutMs` (KIP-601).',
  ),
  connectionsMaxIdleMs: integer(
    540000,
    -1,
    maxInt32,
    'A connection without requests for this long is closed; 0 or less: never.',
  ),
  retryBackoffMs: integer(
    100,
    0,
    maxInt32,
    'Least time between the end of one metadata refresh and the start of the next.',
  ),
  metadataMaxAgeMs: integer(300000, 0, maxInt32, 'Metadata older than this is refreshed.'),
  maxInFlightRequestsPerConnection: integer(
    5,
    1,
    65535,
    'Requests to one node that may await their response at a time.',
  ),
  receiveMessageMaxBytes: integer(
    100000000,
    4,
    1 << 30,
    'Largest response frame accepted; a larger one ends its connection.',
  ),
  decompressedMaxBytes: integer(400000000, 1024, maxInt32, 'Largest decompressed size of one record batch.'),
  codecPoolThreads: integer(
    2,
    0,
    64,
    'Threads that compress and decompress big batches; started when first needed. 0: the network thread does it all.',
  ),
  codecPoolThresholdBytes: integer(
    128 * KiB,
    64 * KiB,
    maxInt32,
    'Compressed frames larger than this are decoded, and requests with more bytes to compress encoded, in the codec pool.',
  ),
  checkCrcs: { type: 'boolean', default: true, doc: 'Verify the checksum of every fetched record batch.' },
  apiVersion: {
    type: 'version',
    default: null,
    doc: 'Broker version, e.g. `[2, 8]`: `start` then waits for no server. Null: taken from the first server that answers.',
  },
  apiVersionAutoTimeoutMs: integer(
    2000,
    1,
    maxInt32,
    'Time `start` may take to find a usable server when `apiVersion` is null.',
  ),
  securityProtocol: {
    type: 'choice',
    default: 'PLAINTEXT',
    choices: ['PLAINTEXT'],
    doc: 'How connections are secured.',
  },
  closeTimeoutMs: integer(5000, 0, maxInt32, 'How long `close()` waits for requests in flight before it cancels them.'),
  requestRingBytes: integer(
    1 * MiB,
    4 * KiB,
    1 << 30,
    'Shared memory for requests on their way out; rounded up to a power of two.',
  ),
  responseRingBytes: integer(
    4 * MiB,
    4 * KiB,
    1 << 30,
    'Shared memory for responses on their way in; rounded up to a power of two.',
  ),
  spillBytes: integer(
    64 * KiB,
    256,
    1 << 28,
    'Bodies larger than this are moved between threads instead of copied through the ring.',
  ),
  spillBudgetBytes: integer(
    256 * MiB,
    64 * KiB,
    maxInt32 - 7,
    'Moved bodies that may be under way in one direction before reading stops.',
  ),
} as const satisfies Record<string, ConfigOption>;

type ValueOf<O> = O extends IntegerOption
  ? number
  : O extends BooleanOption
    ? boolean
    : O extends ServersOption
      ? readonly BootstrapServer[]
      : O extends VersionOption
        ? readonly number[] | null
        : string;

/** The effective configuration, validated and frozen. */
export type KafkaClientConfig = { readonly [K in keyof typeof configOptions]: ValueOf<(typeof configOptions)[K]> };

type InputOf<O> = O extends ServersOption ? string | readonly string[] : ValueOf<O>;

/** What `KafkaClient.start` accepts: any subset of the options. */
export type KafkaClientOptions = { [K in keyof typeof configOptions]?: InputOf<(typeof configOptions)[K]> };

/**
 * Validates options into a configuration.
 * Throws KafkaConfigurationError with every problem found, each naming key, value and limit.
 */
export function parseConfig(options: KafkaClientOptions = {}): KafkaClientConfig {
  const problems: string[] = [];
  if (typeof options !== 'object' || options === null) {
    throw new KafkaConfigurationError(`configuration must be an object, not ${describe(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(configOptions, key)) problems.push(unknownKey(key));
  }
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(configOptions) as [keyof KafkaClientOptions, ConfigOption][]) {
    const given = options[key];
    config[key] = parseOption(key, option, given === undefined ? option.default : given, problems);
  }
  checkSpillBytes(config, problems);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return Object.freeze(config) as unknown as KafkaClientConfig;
}

/** A body that is not moved has to fit half a ring, with its header of 16 bytes. */
function checkSpillBytes(config: Record<string, unknown>, problems: string[]): void {
  const spillBytes = config.spillBytes;
  for (const key of ['requestRingBytes', 'responseRingBytes']) {
    const ringBytes = config[key];
    if (!Number.isInteger(ringBytes) || !Number.isInteger(spillBytes)) continue;
    const limit = 2 ** Math.ceil(Math.log2(ringBytes as number)) / 2 - 16;
    if (limit > 0 && (spillBytes as number) > limit) {
      problems.push(`spillBytes is ${spillBytes}; with ${key} ${ringBytes} it may be ${limit} at most`);
    }
  }
}

function parseOption(key: string, option: ConfigOption, value: unknown, problems: string[]): unknown {
  switch (option.type) {
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < option.min || value > option.max) {
        problems.push(`${key} must be an integer from ${option.min} to ${option.max}, not ${describe(value)}`);
      }
      return value;
    case 'choice':
      if (typeof value !== 'string' || !option.choices.includes(value)) {
        problems.push(`${key} must be one of ${option.choices.join(', ')}, not ${describe(value)}`);
      }
      return value;
    case 'servers':
      return parseBootstrapServers(value, problems);
    case 'version':
      if (value !== null && !isVersion(value)) {
        problems.push(`${key} must be null or a list of 1 to 4 integers such as [2, 8], not ${describe(value)}`);
      }
      return Array.isArray(value) ? Object.freeze([...value]) : value;
    case 'string':
      if (typeof value !== 'string' || Buffer.byteLength(value) > option.maxBytes) {
        problems.push(`${key} must be a string of at most ${option.maxBytes} bytes, not ${describe(value)}`);
      }
      return value;
    default:
      if (typeof value !== option.type) problems.push(`${key} must be a ${option.type}, not ${describe(value)}`);
      return value;
  }
}

function isVersion(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 4 &&
    value.every((part) => Number.isInteger(part) && part >= 0)
  );
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 80 ? `a string of ${value.length} characters` : `'${value}'`;
  if (typeof value === 'number' || typeof value === 'bigint' || value === null || value === undefined)
    return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function unknownKey(key: string): string {
  const known = Object.keys(configOptions);
  const camel = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const right = known.includes(camel) ? camel : nearest(key, known);
  return `unknown configuration key '${key.slice(0, 80)}'${right === undefined ? '' : `; did you mean '${right}'?`}`;
}

function nearest(key: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 4;
  for (const candidate of known) {
    const distance = editDistance(key.slice(0, 80).toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
