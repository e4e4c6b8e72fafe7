// Owns the command `offsets`: offsets of partitions, in the form of kafka-get-offsets. Main thread. It asks for a bounded number of
// topics at a time, so that its memory does not grow with the number of topics.

import type { Command } from 'commander';
import { append } from '../../common/lists.ts';
import type { Admin, OffsetSpec } from '../../index.ts';
import { type Context, jsonText } from '../context.ts';
import { exitCodeFor, exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, int64Of, names, topicAndPartitions } from '../flags.ts';
import { describeError } from '../io/describe-error.ts';

interface Flags {
  readonly topic?: readonly string[];
  readonly topicPartitions?: readonly string[];
  readonly partitions?: string;
  readonly time?: string;
  readonly excludeInternalTopics?: boolean;
}

const topicsAtOnce = 200;

export const offsets: Declaration = {
  name: 'offsets',
  description: 'show offsets of partitions: the end, the beginning, or by time',
  help: `The output is TOPIC:PARTITION:OFFSET, sorted. A partition without such an offset is left out.

Examples:
  offthread-kafka offsets --topic orders --bootstrap-server localhost:9092
  offthread-kafka offsets --topic orders --time earliest
  offthread-kafka offsets --topic orders --time 1767225600000`,
  flags: (command: Command) => {
    command
      .option('--topic <names>', 'these topics (default: all)', names)
      .option('--topic-partitions <topic:partition>', 'these partitions, such as orders:0 or orders:0-2', names)
      .option('--partitions <numbers>', 'only these partitions of each topic')
      .option('--time <time>', 'latest, earliest, max-timestamp, earliest-local, latest-tiered, or ms since the epoch')
      .option('--exclude-internal-topics', 'leave out internal topics');
  },
  run: async (context: Context, flags: Flags) => {
    if (flags.topicPartitions !== undefined && (flags.topic !== undefined || flags.partitions !== undefined))
      throw new UsageError('--topic-partitions goes without --topic and --partitions');
    const at = specOf(flags.time ?? 'latest');
    const wanted = flags.partitions === undefined ? null : numbersOf('--partitions', flags.partitions);
    const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
    const chosen = flags.topicPartitions === undefined ? null : rangesOf(flags.topicPartitions);
    const topics = chosen !== null ? [...chosen.keys()] : await topicNames(admin, flags);
    const errors: Error[] = [];
    for (let i = 0; i < topics.length; i += topicsAtOnce) {
      context.checkSignal();
      const some = topics.slice(i, i + topicsAtOnce);
      append(errors, await print(context, admin, some, at, (topic) => chosen?.get(topic) ?? wanted));
      await context.out.flush();
    }
    for (const error of errors) context.say(describeError(error));
    return errors.length === 0 ? exitCodes.success : exitCodeFor(new AggregateError(errors));
  },
};

async function topicNames(admin: Admin, flags: Flags): Promise<readonly string[]> {
  if (flags.topic !== undefined) return [...flags.topic].sort();
  const listed = await admin.listTopics({ includeInternal: flags.excludeInternalTopics !== true });
  return listed.map(({ name }) => name).sort();
}

async function print(
  context: Context,
  admin: Admin,
  topics: readonly string[],
  at: OffsetSpec,
  partitionsOf: (topic: string) => ReadonlySet<number> | null,
): Promise<Error[]> {
  const errors: Error[] = [];
  const partitions: { topic: string; partition: number; at: OffsetSpec }[] = [];
  for (const [topic, outcome] of await admin.describeTopics(topics)) {
    if (!outcome.ok) {
      errors.push(withTopic(topic, outcome.error));
      continue;
    }
    const wanted = partitionsOf(topic);
    for (const { partition } of outcome.value.partitions) {
      if (wanted === null || wanted.has(partition)) partitions.push({ topic, partition, at });
    }
  }
  if (partitions.length === 0) return errors;
  for (const [{ topic, partition }, outcome] of await admin.listOffsets(partitions)) {
    if (!outcome.ok) {
      errors.push(withTopic(`${topic}-${partition}`, outcome.error));
      continue;
    }
    const { offset, timestampMs } = outcome.value;
    if (offset === null) continue;
    const line = context.isJson
      ? jsonText({ topic, partition, offset, timestampMs })
      : `${topic}:${partition}:${String(offset)}`;
    context.out.line(line);
  }
  return errors;
}

function withTopic(name: string, error: Error): Error {
  error.message = `${name}: ${error.message}`;
  return error;
}

const specs: Readonly<Record<string, OffsetSpec>> = {
  '-1': 'latest',
  latest: 'latest',
  '-2': 'earliest',
  earliest: 'earliest',
  '-3': 'maxTimestamp',
  'max-timestamp': 'maxTimestamp',
  '-4': 'earliestLocal',
  'earliest-local': 'earliestLocal',
  '-5': 'latestTiered',
  'latest-tiered': 'latestTiered',
};

export function specOf(text: string): OffsetSpec {
  if (Object.hasOwn(specs, text)) return specs[text]!;
  const timestampMs = int64Of('--time', text);
  if (timestampMs >= 0n) return { timestampMs };
  throw new UsageError(`--time must be ms since the epoch or one of ${Object.keys(specs).join(', ')}`);
}

/** `0,2-4`: 0, 2, 3 and 4. As in Kafka's tool the end of a range with `-` is not part of it when used with topics. */
function numbersOf(flag: string, text: string): Set<number> {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    if (!/^\d+$/.test(part)) throw new UsageError(`${flag} must be partitions such as 0,2, not '${text.slice(0, 80)}'`);
    found.add(Number(part));
  }
  return found;
}

/** `orders:0`, `orders:0-2` (0 and 1, as in Kafka's tool), `orders`. */
function rangesOf(list: readonly string[]): Map<string, Set<number> | null> {
  const found = new Map<string, Set<number> | null>();
  for (const text of list) {
    const range = /^([^:]+):(\d+)-(\d+)$/.exec(text);
    const { topic, partitions } = range === null ? topicAndPartitions(text) : rangeOf(range);
    const before = found.get(topic);
    if (partitions === null || before === null) found.set(topic, null);
    else found.set(topic, new Set([...(before ?? []), ...partitions]));
  }
  return found;
}

const maxPartitions = 1_000_000;

function rangeOf([, topic, first, end]: readonly (string | undefined)[]): { topic: string; partitions: number[] } {
  const [from, to] = [Number(first), Number(end)];
  if (to <= from || to > maxPartitions) throw new UsageError(`'${topic}:${first}-${end}' is an empty range`);
  return { topic: topic!, partitions: Array.from({ length: to - from }, (_, i) => from + i) };
}
