// Owns the checks of the arguments of public methods. Application thread. A wrong argument throws at the call; the
// error names argument, value and limit.

import type { KafkaClientOptions } from '../../common/config/config.ts';
import type { ConnectionChoice } from '../../common/control.ts';
import type { Logger } from '../../common/logger.ts';
import { isLaneName, laneNameRule, mainLane } from '../../common/node-ids.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { checkOptions } from '../../common/options.ts';
import { shown } from '../../common/text.ts';
import { isTopicName, topicNameRule } from '../../common/topic-names.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { checkSignal } from '../link/abort-signals.ts';
import { type AttachOptions, optionNames, type StartOptions } from './client-options.ts';

export { checkOptions };

const maxInt16 = 32767;

/** int32, returned as given. Throws TypeError for anything else. */
export function checkNodeId(nodeId: number): number {
  if (typeof nodeId !== 'number' || (nodeId | 0) !== nodeId) {
    throw new TypeError(
      `nodeId must be an int32 (a broker id, or -1, -2, ... for bootstrap servers), not ${shown(nodeId)}`,
    );
  }
  return nodeId;
}

/** Throws TypeError, naming the argument, for anything but a string. */
export function checkString(name: string, value: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, not ${shown(value)}`);
  return value;
}

/** The lane, or the main one when none is given. Throws TypeError for what is no string, RangeError for no name of a lane. */
export function checkLane(lane: string | undefined): string {
  if (lane === undefined) return mainLane;
  if (!isLaneName(checkString('lane', lane))) throw new RangeError(`lane must be ${laneNameRule}, not ${shown(lane)}`);
  return lane;
}

/** The options of `attach` with their defaults. Throws TypeError for connections that are neither `shared` nor `own`. */
export function checkAttachOptions(options: AttachOptions | undefined): {
  logger: Logger | null;
  connections: ConnectionChoice;
} {
  const { logger = null, connections = 'shared' } = checkOptions('attach', options, optionNames.attach);
  if (connections === 'shared' || connections === 'own') return { logger, connections };
  throw new TypeError(`connections must be 'shared' or 'own', not ${shown(connections)}`);
}

/** Throws TypeError for anything but an API export. */
export function checkApi(api: Pick<Api, 'key'>): void {
  const given = api as Partial<Api> | null | undefined;
  if (typeof given?.key !== 'number' || typeof given.writeRequest !== 'function') {
    throw new TypeError(`api must be an export such as Metadata or Fetch, not ${shown(api)}`);
  }
}

/** The version, or -1 when none is given. Throws TypeError unless it is an integer from 0 to 32767. */
export function checkVersion(version: number | undefined): number {
  if (version === undefined) return -1;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0 || version > maxInt16) {
    throw new TypeError(`version must be an integer from 0 to ${maxInt16}, not ${shown(version)}`);
  }
  return version;
}

/** The limit in ms, or -1 when none is given. Throws TypeError unless it is an integer from 1 to 2147483647. */
export function checkTimeoutMs(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return -1;
  if (typeof timeoutMs !== 'number' || !Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > maxInt32) {
    throw new TypeError(`timeoutMs must be an integer from 1 to ${maxInt32} ms, not ${shown(timeoutMs)}`);
  }
  return timeoutMs;
}

/**
 * Topic names, checked by Kafka's own rule: 1 to 249 characters of `a-z A-Z 0-9 . _ -`, and neither `.` nor `..`.
 * Throws TypeError for what is not a list of strings, RangeError for a name the broker would refuse.
 */
export function checkTopics(topics: Iterable<string>): Set<string> {
  if (typeof topics === 'string' || typeof topics?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`topics must be a list or set of names, not ${shown(topics)}`);
  }
  const names = new Set<string>();
  for (const topic of topics) {
    if (typeof topic !== 'string') throw new TypeError(`a topic name must be a string, not ${shown(topic)}`);
    if (!isTopicName(topic)) throw new RangeError(`topic name ${shown(topic)} is invalid: ${topicNameRule}`);
    names.add(topic);
  }
  return names;
}

/** How long a poll may wait, ms. Throws TypeError for what is no number. */
export function checkPollLimit(
  timeoutMs: number | null | undefined,
  { requestTimeoutMs }: { readonly requestTimeoutMs: number },
): number {
  if (timeoutMs === undefined || timeoutMs === null) return requestTimeoutMs;
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
    throw new TypeError(`poll: timeoutMs must be a number of milliseconds, not ${shown(timeoutMs)}`);
  }
  return Math.max(0, timeoutMs);
}

/** Options of `start`. The parser of configurations refuses a value that is not an object. */
export function parted(options: KafkaClientOptions & StartOptions): {
  configuration: KafkaClientOptions;
  signal: AbortSignal | null;
} {
  if (typeof options !== 'object' || options === null || !('signal' in options)) {
    return { configuration: options, signal: null };
  }
  const { signal, ...configuration } = options;
  return { configuration, signal: checkSignal(signal) };
}
