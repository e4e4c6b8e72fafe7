// Owns the validation of a producer's options into a frozen configuration. One error reports all problems. Every thread.

import { KafkaConfigurationError } from '../errors/errors.ts';
import { maxInt32 } from '../numbers.ts';
import { nearestName } from '../text.ts';
import type { ConfigOption } from './config-kinds.ts';
import { described, parseOption } from './config-parser.ts';
import type { ProducerTableOptions } from './generated/options.ts';
import { otherProducerOptions, type ProducerConfig, producerOptions } from './producer-options.ts';

/** For idempotence, a broker remembers this many batches of each producer and partition. */
const maxInFlightWithIdempotence = 5;

/** The options that callers pass. */
export interface ProducerConfigInput extends ProducerTableOptions {
  acks?: 'all' | -1 | 0 | 1 | undefined;
  compressionLevel?: number | null | undefined;
  partitioner?: 'murmur2' | 'crc32' | undefined;
}

const knownKeys: readonly string[] = [...Object.keys(producerOptions), ...Object.keys(otherProducerOptions)];

/** Keys of kafkajs, @confluentinc/kafka-javascript and others, with our names. Java's keys are converted by a rule. */
const foreignKeys: Readonly<Record<string, string>> = {
  idempotent: 'enableIdempotence',
  maxInFlightRequests: 'maxInFlightRequestsPerConnection',
  transactionTimeout: 'transactionTimeoutMs',
  createPartitioner: 'partitioner',
  retry: 'retries and retryBackoffMs',
  compression: 'compressionType',
  metadataMaxAge: 'metadataMaxAgeMs of the client',
  metadataMaxAgeMs: 'metadataMaxAgeMs of the client',
  'metadata.max.age.ms': 'metadataMaxAgeMs of the client',
  timeout: 'requestTimeoutMs',
  ackTimeoutMs: 'requestTimeoutMs',
  lingerMilliseconds: 'lingerMs',
  'compression.codec': 'compressionType',
  'queue.buffering.max.ms': 'lingerMs',
  'queue.buffering.max.kbytes': 'bufferMemoryBytes',
  'message.max.bytes': 'maxRequestSizeBytes',
  'message.timeout.ms': 'deliveryTimeoutMs',
  'request.required.acks': 'acks',
  'key.serializer': 'serializeKey',
  'value.serializer': 'serializeValue',
  'partitioner.class': 'partitioner',
  'interceptor.classes': 'hooks',
  'max.in.flight': 'maxInFlightRequestsPerConnection',
};

/** The right name for a key that is not an option. Undefined if there is none. */
export function rightKeyFor(key: string): string | undefined {
  const foreign = Object.hasOwn(foreignKeys, key) ? foreignKeys[key] : undefined;
  if (foreign !== undefined) return foreign;
  const camel = key.replace(/[._-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  for (const candidate of [camel, `${camel}Bytes`, `${camel}Ms`]) {
    if (knownKeys.includes(candidate)) return candidate;
  }
  return nearestName(camel, knownKeys, 3);
}

/**
 * Validates the options of a producer.
 * @param onNotice called with a text for the log when a setting was changed by itself
 * Throws KafkaConfigurationError with every problem found, each naming key, value and limit.
 */
export function parseProducerConfig(
  options: ProducerConfigInput = {},
  onNotice: (text: string) => void = () => {},
): ProducerConfig {
  if (typeof options !== 'object' || options === null) {
    throw new KafkaConfigurationError(`the configuration of a producer must be an object, not ${described(options)}`);
  }
  const problems: string[] = [];
  for (const key of Object.keys(options)) {
    if (knownKeys.includes(key)) continue;
    const right = rightKeyFor(key);
    const hint = right === undefined ? '' : `; did you mean '${right}'?`;
    problems.push(`unknown configuration key '${key.slice(0, 80)}' of a producer${hint}`);
  }
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(producerOptions) as [keyof ProducerTableOptions, ConfigOption][]) {
    const given = options[key];
    config[key] = parseOption(key, option, given === undefined ? option.default : given, problems);
  }
  config.acks = parseAcks(options.acks, problems);
  config.partitioner = parsePartitioner(options.partitioner, problems);
  config.compressionLevel = parseLevel(options, problems);
  if (config.transactionalId === '')
    problems.push('transactionalId must not be empty; use null for a producer without transactions');
  if (problems.length === 0) {
    checkIdempotence(config, options, problems, onNotice);
    checkTimes(config, options, problems);
  }
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return Object.freeze(config) as unknown as ProducerConfig;
}

function parseAcks(given: unknown, problems: string[]): number {
  if (given === undefined || given === 'all' || given === -1) return -1;
  if (given === 0 || given === 1) return given;
  problems.push(`acks must be 'all', -1, 1 or 0, not ${described(given)}`);
  return -1;
}

function parsePartitioner(given: unknown, problems: string[]): string {
  if (given === undefined) return 'murmur2';
  if (given !== 'murmur2' && given !== 'crc32') {
    problems.push(`partitioner must be 'murmur2', 'crc32' or a function, not ${described(given)}`);
  }
  return given as string;
}

const levels: Readonly<Record<string, readonly [min: number, max: number]>> = { gzip: [1, 9], zstd: [-131072, 22] };

function parseLevel({ compressionLevel, compressionType = 'none' }: ProducerConfigInput, problems: string[]): unknown {
  if (compressionLevel === undefined || compressionLevel === null) return null;
  const range = Object.hasOwn(levels, compressionType) ? levels[compressionType] : undefined;
  if (range === undefined) {
    problems.push(
      `compressionLevel is ${described(compressionLevel)}, but compressionType ${compressionType} has no levels`,
    );
  } else if (!Number.isInteger(compressionLevel) || compressionLevel < range[0] || compressionLevel > range[1]) {
    problems.push(
      `compressionLevel must be an integer from ${range[0]} to ${range[1]} with ${compressionType}, not ${described(compressionLevel)}`,
    );
  }
  return compressionLevel;
}

function checkIdempotence(
  config: Record<string, unknown>,
  options: ProducerConfigInput,
  problems: string[],
  onNotice: (text: string) => void,
): void {
  const isTransactional = config.transactionalId !== null;
  const reasons: string[] = [];
  if (config.acks !== -1) reasons.push(`acks is ${config.acks}, it must be 'all'`);
  if (config.retries === 0) reasons.push('retries is 0, it must be at least 1');
  const isAsked = options.enableIdempotence === true || isTransactional;
  const asker = isTransactional ? 'transactionalId needs idempotence' : 'enableIdempotence is true';
  if (isTransactional && config.enableIdempotence === false) {
    problems.push('transactionalId needs idempotence, but enableIdempotence is false');
  } else if (isAsked) {
    for (const reason of reasons) problems.push(`${asker}, but ${reason}`);
  } else if (config.enableIdempotence === true && reasons.length > 0) {
    config.enableIdempotence = false;
    onNotice(`the producer works without idempotence: ${reasons.join('; ')}`);
  }
  const inFlight = config.maxInFlightRequestsPerConnection as number;
  if (config.enableIdempotence === true && inFlight > maxInFlightWithIdempotence) {
    problems.push(
      `maxInFlightRequestsPerConnection is ${inFlight}; with idempotence it may be at most ${maxInFlightWithIdempotence}`,
    );
  }
}

function checkTimes(config: Record<string, unknown>, options: ProducerConfigInput, problems: string[]): void {
  const least = (config.lingerMs as number) + (config.requestTimeoutMs as number);
  if ((config.deliveryTimeoutMs as number) >= least) return;
  if (options.deliveryTimeoutMs === undefined) config.deliveryTimeoutMs = Math.min(least, maxInt32);
  else {
    problems.push(
      `deliveryTimeoutMs is ${config.deliveryTimeoutMs}; it must be at least lingerMs + requestTimeoutMs, ${least}`,
    );
  }
}
