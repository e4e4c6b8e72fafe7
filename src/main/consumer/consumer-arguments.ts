// Owns the checks of the arguments of a consumer's calls: options, places, offsets. Application thread. A wrong argument throws at the
// call; the network thread only sees copies.

import type { AssignedStart, StartAt, Subscription, TopicPartition } from '../../common/config/consumer-config.ts';
import { parseAssign, parseSubscription } from '../../common/config/consumer-config-parser.ts';
import { parseOffset, parseStart } from '../../common/config/offset-inputs.ts';
import type { LeaveModeName, PlainOffset } from '../../common/consumer-calls.ts';
import { IllegalArgumentError, KafkaConfigurationError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { checkList, checkNames, checkOptions } from '../../common/options.ts';
import { shown } from '../../common/text.ts';
import { isTopicName, topicNameRule } from '../../common/topic-names.ts';
import { checkSignal } from '../link/abort-signals.ts';
import { checkTimeout } from '../link/wait-limits.ts';
import type { ConsumerPollOptions, OffsetOf } from './consumer-options.ts';
import type { RunOptions } from './run.ts';

const leaveModes: readonly LeaveModeName[] = ['default', 'leave', 'remain'];
const offsetFields = ['topic', 'partition', 'offset', 'leaderEpoch', 'metadata'];

/** The signal of the call. Throws TypeError for another option, and for what is no signal. */
export function signalOf(call: string, options: ConsumerPollOptions): AbortSignal | null {
  return checkSignal(checkOptions(call, options, ['signal']).signal);
}

/** The options of `run`. Throws TypeError for a handler that is no function, for an unknown option and for what is no signal. */
export function checkRun(handler: unknown, options: RunOptions): RunOptions {
  if (typeof handler !== 'function') throw new TypeError(`run: handler must be a function, not ${shown(handler)}`);
  checkSignal(checkOptions('run', options, ['concurrency', 'signal']).signal);
  return options;
}

/** The options of `close`, checked. Throws TypeError for a name that `close` does not know, IllegalArgumentError for a wrong value. */
export function checkClose<T extends { readonly timeoutMs?: number | undefined; readonly leave?: unknown }>(
  options: T,
): T {
  checkOptions('close', options, ['timeoutMs', 'leave']);
  if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs);
  if (options.leave !== undefined && !leaveModes.includes(options.leave as LeaveModeName))
    throw new IllegalArgumentError(`leave must be 'default', 'leave' or 'remain', not ${shown(options.leave)}`);
  return options;
}

/** Throws KafkaConfigurationError for what is no list of names, no RegExp and no pattern. */
export function subscriptionOf(topics: unknown): Subscription {
  const problems: string[] = [];
  const subscription = parseSubscription(topics, problems);
  if (problems.length > 0 || subscription === null) throw new KafkaConfigurationError(problems);
  return subscription;
}

/** Throws KafkaConfigurationError for what is no list of partitions with or without a place to begin. */
export function assignedOf(partitions: unknown): readonly AssignedStart[] {
  const problems: string[] = [];
  const rows = parseAssign(partitions, problems);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  return rows;
}

/** Throws IllegalArgumentError for what is no place in a log. */
export function startOf(to: unknown): StartAt {
  const start = parseStart(to);
  if (start !== undefined) return start;
  throw new IllegalArgumentError(
    `seek to an offset of 0 or more, 'earliest', 'latest' or { timestampMs }, not ${shown(to)}`,
  );
}

/** The topic and partition alone. Throws TypeError for what is no object with both. */
export function placeOf(call: string, name: string, given: TopicPartition): TopicPartition {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`${call}: ${name} must be { topic, partition }, not ${shown(given)}`);
  const { topic, partition } = given;
  if (!isTopicName(topic)) throw new TypeError(`${call}: ${name}.topic is ${shown(topic)}: ${topicNameRule}`);
  if (!Number.isInteger(partition) || partition < 0 || partition > maxInt32)
    throw new TypeError(`${call}: ${name}.partition must be an integer from 0 to ${maxInt32}, not ${shown(partition)}`);
  return { topic, partition };
}

/** Throws TypeError for anything but a list of places. */
export function placesOf(call: string, given: readonly TopicPartition[]): TopicPartition[] {
  checkList(call, 'partitions', given);
  return given.map((place, i) => placeOf(call, `partitions[${i}]`, place));
}

/** Throws TypeError for anything but a list of places with times, IllegalArgumentError for two times of one partition: brokers answer only one. */
export function timesOf(
  call: string,
  given: readonly (TopicPartition & { readonly timestampMs: number })[],
): (TopicPartition & { readonly timestampMs: number })[] {
  checkList(call, 'times', given);
  const known = new Map<string, number>();
  return given.map((one, i) => {
    const place = placeOf(call, `times[${i}]`, one);
    const { timestampMs } = one;
    if (!Number.isSafeInteger(timestampMs))
      throw new TypeError(`${call}: times[${i}].timestampMs must be a whole number of ms, not ${shown(timestampMs)}`);
    const key = `${place.topic}-${place.partition}`;
    if ((known.get(key) ?? timestampMs) !== timestampMs)
      throw new IllegalArgumentError(`${call}: times[${i}]: ${key} has another time before; ask for one of them first`);
    known.set(key, timestampMs);
    return { ...place, timestampMs };
  });
}

/** Throws TypeError for anything but a list of offsets to commit, and IllegalArgumentError for an offset that cannot be. */
export function plainOffsets(offsets: readonly OffsetOf[]): PlainOffset[] {
  checkList('commit', 'offsets', offsets);
  return offsets.map((row, i) => {
    const { topic, partition } = placeOf('commit', `offsets[${i}]`, row);
    checkNames(`commit: offsets[${i}] has an unknown field`, row, offsetFields);
    const { offset, leaderEpoch, metadata } = row;
    const parsed = parseOffset(offset);
    if (parsed === null)
      throw new IllegalArgumentError(`offset of ${topic}-${partition} must be 0 or more, not ${shown(offset)}`);
    return { topic, partition, offset: String(parsed), leaderEpoch: leaderEpoch ?? -1, metadata: metadata ?? '' };
  });
}
