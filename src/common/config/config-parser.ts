// Owns the validation of options into a frozen plain configuration. One error reports all problems. Every thread. Must not open
// files or resolve names.

import { KafkaConfigurationError } from '../errors/errors.ts';
import { isLogger, logLevels } from '../logger.ts';
import { maxRingBodyBytes, ringCapacity } from '../ring-sizes.ts';
import { Secret } from '../secret.ts';
import { nearestName, shown } from '../text.ts';
import { parseTokenSource } from '../token-provider.ts';
import { isTopicName, topicNameRule } from '../topic-names.ts';
import { parseBootstrapServers } from './bootstrap-servers.ts';
import { configOptions, type KafkaClientConfig, type KafkaClientOptions } from './config.ts';
import type { ConfigOption } from './config-kinds.ts';
import { unknownKey } from './option-names.ts';
import { parseProxyUrl } from './proxy-url.ts';
import { checkSasl, checkSecurityProtocol } from './sasl-config.ts';
import { checkSocketOptions, parseSocketOptions } from './socket-options.ts';
import { checkSsl, parseSslContext } from './ssl-context.ts';

/**
 * Validates options into a configuration.
 * Throws KafkaConfigurationError with every problem found, each naming key, value and limit.
 */
export function parseConfig(options: KafkaClientOptions = {}): KafkaClientConfig {
  const problems: string[] = [];
  if (typeof options !== 'object' || options === null) {
    throw new KafkaConfigurationError(`configuration must be an object, not ${described(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(configOptions, key)) problems.push(unknownKey(key, Object.keys(configOptions)));
  }
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(configOptions) as [keyof KafkaClientOptions, ConfigOption][]) {
    const given = options[key];
    config[key] = parseOption(key, option, given === undefined ? option.default : given, problems);
  }
  useControllers(config, options, problems);
  checkSpillBytes(config, problems);
  checkPlainBytes(config, problems);
  checkSecurityProtocol(config, configOptions, problems);
  checkSasl(config, problems);
  checkSsl(config, problems);
  checkProxy(config, problems);
  checkSocketOptions(config, problems);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return Object.freeze(config) as unknown as KafkaClientConfig;
}

/** Controllers take the place of the servers, so that everything that connects has one list. */
function useControllers(config: Record<string, unknown>, options: KafkaClientOptions, problems: string[]): void {
  if (config.bootstrapControllers === null) return;
  if (options.bootstrapServers !== undefined) problems.push('give only one of bootstrapServers, bootstrapControllers');
  config.bootstrapServers = config.bootstrapControllers;
}

/** A body that is not moved must fit into an empty ring. */
function checkSpillBytes(config: Record<string, unknown>, problems: string[]): void {
  const spillBytes = config.spillBytes;
  for (const key of ['requestRingBytes', 'responseRingBytes']) {
    const ringBytes = config[key];
    if (!Number.isInteger(ringBytes) || !Number.isInteger(spillBytes)) continue;
    const limit = maxRingBodyBytes(ringCapacity(ringBytes as number));
    if (limit > 0 && (spillBytes as number) > limit) {
      problems.push(`spillBytes is ${spillBytes}; with ${key} ${ringBytes} it may be at most ${limit}`);
    }
  }
}

/** Smaller frames lie in memory that they share, which cannot be moved to the pool. */
function checkPlainBytes({ codecPoolPlainBytes: bytes }: Record<string, unknown>, problems: string[]): void {
  const { min } = configOptions.codecPoolThresholdBytes;
  if (Number.isInteger(bytes) && (bytes as number) > 0 && (bytes as number) < min)
    problems.push(`codecPoolPlainBytes is ${bytes}; it must be 0, which is never, or at least ${min}`);
}

function checkProxy({ proxyUrl }: Record<string, unknown>, problems: string[]): void {
  const url: unknown = proxyUrl instanceof Secret ? proxyUrl.reveal() : null;
  const proxy = typeof url === 'string' ? parseProxyUrl(url) : null;
  if (typeof proxy === 'string') problems.push(`proxyUrl ${proxy}`);
}

/** Checks one value against its option. `problems` gets what is wrong. The value is returned even then. */
export function parseOption(key: string, option: ConfigOption, value: unknown, problems: string[]): unknown {
  if (value === null && option.default === null) return null;
  switch (option.type) {
    case 'secret':
      // The value must never be shown.
      if (typeof value !== 'string') problems.push(`${key} must be a string, not a value of type ${typeof value}`);
      return new Secret(value);
    case 'tokenProvider':
      return parseTokenSource(key, value, problems);
    case 'socketOptions':
      return parseSocketOptions(key, value, problems);
    case 'url':
      return parseUrl(key, value, problems);
    case 'sslContext':
      return parseSslContext(key, value, problems);
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < option.min || value > option.max) {
        problems.push(`${key} must be an integer from ${option.min} to ${option.max}, not ${described(value)}`);
      }
      return value;
    case 'choice':
      if (typeof value !== 'string' || !option.choices.includes(value)) {
        const meant = typeof value === 'string' ? nearestName(value, option.choices, 0) : undefined;
        const hint = meant !== undefined ? `; did you mean '${meant}'?` : '';
        problems.push(`${key} must be one of ${option.choices.join(', ')}, not ${described(value)}${hint}`);
      }
      return value;
    case 'servers':
      return parseBootstrapServers(value, problems, key);
    case 'topics':
      return parseTopics(key, value, problems);
    case 'version':
      if (!isVersion(value)) {
        problems.push(`${key} must be null or a list of 1 to 4 integers such as [2, 8], not ${described(value)}`);
      }
      return Array.isArray(value) ? Object.freeze([...value]) : value;
    case 'logger':
      if (value !== null && !isLogger(value)) {
        problems.push(`${key} must be null or have methods ${logLevels.join(', ')}, not ${described(value)}`);
      }
      return value;
    case 'string':
      if (typeof value !== 'string' || Buffer.byteLength(value) > option.maxBytes) {
        problems.push(`${key} must be a string of at most ${option.maxBytes} bytes, not ${described(value)}`);
      }
      return value;
    default:
      if (typeof value !== option.type) problems.push(`${key} must be a ${option.type}, not ${described(value)}`);
      return value;
  }
}

function parseUrl(key: string, value: unknown, problems: string[]): string {
  if ((typeof value === 'string' || value instanceof URL) && URL.canParse(String(value))) return String(value);
  problems.push(`${key} must be a URL or its text, such as import.meta.resolve('...'), not ${described(value)}`);
  return '';
}

function parseTopics(key: string, value: unknown, problems: string[]): readonly string[] {
  if (typeof value === 'string' || typeof (value as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
    problems.push(`${key} must be a list of topic names, not ${described(value)}`);
    return [];
  }
  const names = [...new Set(value as Iterable<unknown>)];
  for (const name of names) {
    if (!isTopicName(name)) problems.push(`${key} has ${described(name)}, which is not a topic name: ${topicNameRule}`);
  }
  return Object.freeze(names as string[]);
}

function isVersion(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 4 &&
    value.every((part) => Number.isInteger(part) && part >= 0)
  );
}

/** A value for an error message. A long text is not shown, because it may be a secret that was passed to the wrong option. */
export function described(value: unknown): string {
  if (typeof value !== 'string') return shown(value);
  return value.length > 80 ? `a string of ${value.length} characters` : `'${value}'`;
}
