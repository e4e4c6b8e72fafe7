// Owns the validation of a consumer's options into a frozen plain configuration. One error reports all problems. Every thread. Must
// not send requests.

import { KafkaConfigurationError } from '../errors/errors.ts';
import { maxInt32 } from '../numbers.ts';
import { unknownName } from '../options.ts';
import { nearestName } from '../text.ts';
import { isTopicName, topicNameRule } from '../topic-names.ts';
import { configOptions } from './config.ts';
import type { ConfigOption } from './config-kinds.ts';
import { described, parseOption } from './config-parser.ts';
import {
  type AssignedStart,
  type AssignorName,
  assignorNames,
  type ConsumerConfig,
  consumerOptions,
  type OffsetReset,
  type Subscription,
} from './consumer-config.ts';
import { foreignOption } from './consumer-foreign-options.ts';
import { parseDuration } from './duration.ts';
import { parseStart } from './offset-inputs.ts';
import { isForeignName } from './option-names.ts';

const specialKeys = ['topics', 'assign', 'autoOffsetReset', 'commit', 'partitionAssignmentStrategy'] as const;
const knownKeys: readonly string[] = [...Object.keys(consumerOptions), ...specialKeys];
const defaultCommitMs = 5000;

/** Whether a key is one of a consumer's options. Otherwise it may be one of its client's. */
export function isConsumerOption(key: string): boolean {
  return knownKeys.includes(key);
}

/**
 * Which of two parsers is to take a key when options of a consumer and of its client stand together: the consumer's for its own
 * options, and for what other clients call options of a consumer.
 */
export function belongsToConsumer(key: string): boolean {
  if (isConsumerOption(key)) return true;
  const camel = camelCased(key);
  if (Object.hasOwn(configOptions, camel) || isForeignName(key)) return false;
  if (knownKeys.includes(camel) || foreignOption(key) !== null) return true;
  return nearestKey(key, knownKeys) !== undefined && nearestKey(key, Object.keys(configOptions)) === undefined;
}

function camelCased(key: string): string {
  return key.replace(/[._-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function nearestKey(key: string, keys: readonly string[]): string | undefined {
  return nearestName(key.slice(0, 80), keys, 3);
}

/**
 * Validates options into a configuration.
 * Throws KafkaConfigurationError with every problem found, each naming key, value and limit.
 */
export function parseConsumerConfig(options: unknown): ConsumerConfig {
  if (typeof options !== 'object' || options === null)
    throw new KafkaConfigurationError(`options of a consumer must be an object, not ${described(options)}`);
  const given = options as Record<string, unknown>;
  const problems: string[] = [];
  for (const key of Object.keys(given)) if (!isConsumerOption(key)) problems.push(unknownKey(key));
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(consumerOptions) as [string, ConfigOption][])
    config[key] = parseOption(key, option, given[key] === undefined ? option.default : given[key], problems);
  config.subscription = given.topics == null ? null : parseSubscription(given.topics, problems);
  config.assign = given.assign == null ? null : parseAssign(given.assign, problems);
  config.autoOffsetReset = parseReset(given.autoOffsetReset ?? 'latest', problems);
  Object.assign(config, parseCommit(given.commit ?? (config.groupId === null ? 'manual' : 'processed'), problems));
  config.partitionAssignmentStrategy = parseStrategy(given.partitionAssignmentStrategy, problems);
  checkTogether(config, given, problems);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return Object.freeze(config) as unknown as ConsumerConfig;
}

/** Parses the topics of `subscribe`. */
export function parseSubscription(value: unknown, problems: string[]): Subscription | null {
  if (value instanceof RegExp) return { pattern: { source: value.source, flags: value.flags.replace(/[gy]/g, '') } };
  if (isPlain(value) && typeof value.brokerPattern === 'string') {
    if (value.brokerPattern === '') problems.push('topics.brokerPattern is empty, which matches nothing');
    return { brokerPattern: value.brokerPattern };
  }
  if (!Array.isArray(value)) {
    problems.push(`topics must be a list of names, a RegExp, or { brokerPattern }, not ${described(value)}`);
    return null;
  }
  for (const name of value)
    if (!isTopicName(name)) problems.push(`topics has ${described(name)}, which is not a topic name: ${topicNameRule}`);
  return { names: Object.freeze([...new Set(value as string[])].sort()) };
}

const assignFields = ['topic', 'partition', 'offset'];

/** Parses the partitions of `assign`. */
export function parseAssign(value: unknown, problems: string[]): readonly AssignedStart[] {
  if (!Array.isArray(value)) {
    problems.push(`assign must be a list of { topic, partition, offset? }, not ${described(value)}`);
    return [];
  }
  const seen = new Set<string>();
  return value.map((row: Record<string, unknown> | null, i) => {
    const { topic, partition, offset } = row ?? {};
    for (const name of Object.keys(row ?? {}))
      if (!assignFields.includes(name))
        problems.push(unknownName(`assign[${i}] has an unknown field`, name, assignFields).message);
    if (!isTopicName(topic)) problems.push(`assign[${i}].topic is ${described(topic)}: ${topicNameRule}`);
    if (!Number.isInteger(partition) || (partition as number) < 0 || (partition as number) > maxInt32)
      problems.push(`assign[${i}].partition must be an integer from 0 to ${maxInt32}, not ${described(partition)}`);
    const start = offset == null ? null : parseStart(offset);
    if (start === undefined)
      problems.push(
        `assign[${i}].offset must be an offset of 0 or more, 'earliest', 'latest' or { timestampMs }, not ${described(offset)}`,
      );
    const key = `${topic}-${partition}`;
    if (seen.has(key)) problems.push(`assign has ${key} twice`);
    seen.add(key);
    return { topic: topic as string, partition: partition as number, start: start ?? null };
  });
}

function parseReset(value: unknown, problems: string[]): OffsetReset {
  if (value === 'earliest' || value === 'latest' || value === 'none') return value;
  if (isPlain(value)) {
    const { agoMs, timestampMs } = value;
    if (isMs(agoMs) && timestampMs === undefined) return { agoMs };
    if (isMs(timestampMs) && agoMs === undefined) return { timestampMs };
  }
  const duration =
    typeof value === 'string' && value.startsWith('by_duration:') ? parseDuration(value.slice(12)) : null;
  if (duration !== null) return { agoMs: duration };
  problems.push(
    `autoOffsetReset must be 'earliest', 'latest', 'none', { agoMs }, { timestampMs } or 'by_duration:' and a duration such as PT24H, not ${described(value)}`,
  );
  return 'none';
}

function parseCommit(value: unknown, problems: string[]): { commit: string; commitEveryMs: number } {
  if (value === 'processed' || value === 'manual') return { commit: value, commitEveryMs: defaultCommitMs };
  if (isPlain(value) && isMs(value.everyMs) && value.everyMs > 0)
    return { commit: 'processed', commitEveryMs: value.everyMs };
  problems.push(`commit must be 'processed', 'manual' or { everyMs } of 1 or more, not ${described(value)}`);
  return { commit: 'manual', commitEveryMs: defaultCommitMs };
}

function parseStrategy(value: unknown, problems: string[]): readonly AssignorName[] {
  if (value === undefined) return ['range', 'cooperative-sticky'];
  const isList = Array.isArray(value) && value.length > 0 && value.every((name) => assignorNames.includes(name));
  if (!isList)
    problems.push(`partitionAssignmentStrategy must be a list of ${assignorNames.join(', ')}, not ${described(value)}`);
  return Array.isArray(value) ? Object.freeze([...new Set(value as AssignorName[])]) : [];
}

function checkTogether(config: Record<string, unknown>, given: Record<string, unknown>, problems: string[]): void {
  const { groupId, groupProtocol, subscription, assign } = config;
  if (subscription !== null && assign !== null) problems.push('topics and assign are both set; set only one of them');
  if (subscription !== null && groupId === null)
    problems.push('topics is set without groupId; set groupId, or use assign');
  if (groupId === '') problems.push('groupId is empty');
  if (config.groupInstanceId === '') problems.push('groupInstanceId is empty');
  if (groupId === null && given.commit !== undefined && given.commit !== 'manual')
    problems.push('commit is set without groupId; set groupId, because offsets are committed for a group');
  const misplaced = (keys: readonly string[], protocol: string): void => {
    for (const key of keys)
      if (given[key] != null)
        problems.push(
          `${key} is only for groupProtocol '${protocol}', but groupProtocol is '${String(groupProtocol)}'`,
        );
  };
  // With 'auto' either protocol may be used, so the options of both are allowed.
  if (groupProtocol === 'consumer')
    misplaced(['partitionAssignmentStrategy', 'heartbeatIntervalMs', 'sessionTimeoutMs'], 'classic');
  if (groupProtocol === 'classic') misplaced(['groupRemoteAssignor'], 'consumer');
  const { sessionTimeoutMs, heartbeatIntervalMs } = config;
  const session = typeof sessionTimeoutMs === 'number' ? sessionTimeoutMs : 45_000;
  const heartbeat = typeof heartbeatIntervalMs === 'number' ? heartbeatIntervalMs : 3000;
  if (heartbeat >= session)
    problems.push(`heartbeatIntervalMs is ${heartbeat}; it must be below sessionTimeoutMs, which is ${session}`);
}

function unknownKey(key: string): string {
  const foreign = foreignOption(key);
  if (foreign !== null) return `unknown option '${key}'; ${foreign}`;
  const camel = camelCased(key);
  const right = knownKeys.includes(camel) ? camel : nearestKey(key, knownKeys);
  return `unknown option '${key.slice(0, 80)}' of a consumer${right === undefined ? '' : `; did you mean '${right}'?`}`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
