// Owns `groups --reset-offsets`: the partitions, the new offsets, the plan, and its execution. Main thread.

import { readFileSync } from 'node:fs';
import { parseDuration } from '../../common/config/duration.ts';
import { append } from '../../common/lists.ts';
import type { Admin, OffsetSpec, TopicPartitionKey } from '../../index.ts';
import type { Context } from '../context.ts';
import { exitCodeFor, exitCodes, InputError, UsageError } from '../exit-codes.ts';
import { int64Of, oneOf, topicAndPartitions } from '../flags.ts';
import { describeError } from '../io/describe-error.ts';
import { nameOf } from './describe.ts';
import type { GroupFlags } from './group-flags.ts';

const places = [
  'toEarliest',
  'toLatest',
  'toCurrent',
  'toOffset',
  'toDatetime',
  'byDuration',
  'shiftBy',
  'fromFile',
] as const;

interface Planned extends TopicPartitionKey {
  readonly groupId: string;
  readonly offset: bigint;
}

export async function resetOffsets(
  context: Context,
  admin: Admin,
  ids: readonly string[],
  flags: GroupFlags,
): Promise<number> {
  const place = oneOf(flags, places);
  if (flags.execute === true && flags.dryRun === true) throw new UsageError('give only one of --execute, --dry-run');
  if (place !== 'fromFile' && flags.topic === undefined && flags.allTopics !== true)
    throw new UsageError('--reset-offsets needs --topic or --all-topics');
  const target = targetOf(place, flags);
  const errors: Error[] = [];
  const plan: Planned[] = [];
  const fromFile = flags.fromFile === undefined ? null : readPlan(flags.fromFile, ids);
  for (const groupId of ids) {
    context.checkSignal();
    if (fromFile !== null)
      plan.push(
        ...(await clampedPlan(
          admin,
          fromFile.filter((one) => one.groupId === groupId),
          errors,
        )),
      );
    else append(plan, await planOf(context, admin, groupId, flags, target, errors));
  }
  if (flags.execute === true) append(errors, await execute(admin, ids, plan));
  if (flags.export === true) for (const one of plan) context.out.line(csvLine(one, ids.length > 1));
  else {
    await context.rows(
      [
        { key: 'group', title: 'GROUP' },
        { key: 'topic', title: 'TOPIC' },
        { key: 'partition', title: 'PARTITION', isNumber: true },
        { key: 'newOffset', title: 'NEW-OFFSET', isNumber: true },
      ],
      plan.map(({ groupId, topic, partition, offset }) => ({ group: groupId, topic, partition, newOffset: offset })),
    );
    if (flags.execute !== true) context.say('nothing was changed: add --execute to do it');
  }
  for (const error of errors) context.say(describeError(error));
  return errors.length === 0 ? exitCodes.success : exitCodeFor(new AggregateError(errors));
}

type Target =
  | { readonly at: OffsetSpec }
  | { readonly offset: bigint }
  | { readonly shiftBy: bigint }
  | { readonly current: true };

function targetOf(place: (typeof places)[number], flags: GroupFlags): Target {
  switch (place) {
    case 'toEarliest':
      return { at: 'earliest' };
    case 'toLatest':
      return { at: 'latest' };
    case 'toOffset':
      return { offset: int64Of('--to-offset', flags.toOffset!) };
    case 'shiftBy':
      return { shiftBy: int64Of('--shift-by', flags.shiftBy!) };
    case 'toDatetime':
      return { at: { timestampMs: timeOf(flags.toDatetime!) } };
    case 'byDuration': {
      const ms = parseDuration(flags.byDuration!);
      if (ms === null) throw new UsageError("--by-duration must be an ISO 8601 duration such as 'P1DT2H'");
      return { at: { timestampMs: Date.now() - ms } };
    }
    default:
      return { current: true };
  }
}

/** Kafka's form is `YYYY-MM-DDTHH:mm:SS.sss`, in UTC unless it has a time zone. */
export function timeOf(text: string): number {
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) ? Date.parse(hasZone ? text : `${text}Z`) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new UsageError(`--to-datetime must be such as 2026-01-31T12:00:00.000, not '${text.slice(0, 80)}'`);
}

async function planOf(
  context: Context,
  admin: Admin,
  groupId: string,
  flags: GroupFlags,
  target: Target,
  errors: Error[],
): Promise<Planned[]> {
  const outcome = (await admin.listConsumerGroupOffsets([{ groupId }])).get(groupId)!;
  const committed = new Map<string, bigint>();
  const committedKeys: TopicPartitionKey[] = [];
  // A group that does not exist yet may be given offsets, as with Kafka's tool.
  if (outcome.ok) {
    for (const [key, one] of outcome.value) {
      if (!one.ok || one.value === null) continue;
      committed.set(nameOf(key), one.value.offset.toBigInt());
      committedKeys.push(key);
    }
  } else if ((outcome.error as { errorName?: string }).errorName !== 'GROUP_ID_NOT_FOUND') throw outcome.error;
  const keys = flags.allTopics === true ? committedKeys : await partitionsOf(admin, flags.topic!, errors);
  if (keys.length === 0 && errors.length === 0) context.say(`group ${groupId} has no partitions to reset`);
  const wanted: Planned[] = [];
  if ('at' in target) return offsetsAt(admin, groupId, keys, target.at, errors);
  for (const { topic, partition } of keys) {
    const current = committed.get(nameOf({ topic, partition }));
    if ('offset' in target) wanted.push({ groupId, topic, partition, offset: target.offset });
    else if (current !== undefined)
      wanted.push({ groupId, topic, partition, offset: current + ('shiftBy' in target ? target.shiftBy : 0n) });
    else if ('shiftBy' in target) {
      throw new UsageError(`--shift-by: group ${groupId} has no committed offset of ${topic}-${partition}`);
      // As Kafka's tool: without a committed offset, the end is the current one.
    } else append(wanted, await offsetsAt(admin, groupId, [{ topic, partition }], 'latest', errors));
  }
  return clampedPlan(admin, wanted, errors);
}

async function partitionsOf(admin: Admin, list: readonly string[], errors: Error[]): Promise<TopicPartitionKey[]> {
  const wanted = list.map(topicAndPartitions);
  const keys: TopicPartitionKey[] = [];
  const described = await admin.describeTopics([...new Set(wanted.map(({ topic }) => topic))]);
  for (const [topic, outcome] of described) {
    if (!outcome.ok) {
      outcome.error.message = `${topic}: ${outcome.error.message}`;
      errors.push(outcome.error);
      continue;
    }
    const chosen = wanted.filter((one) => one.topic === topic);
    for (const { partition } of outcome.value.partitions) {
      if (chosen.some(({ partitions }) => partitions === null || partitions.includes(partition)))
        keys.push({ topic, partition });
    }
  }
  return keys;
}

/** A time after the last record means the end. */
async function offsetsAt(
  admin: Admin,
  groupId: string,
  keys: readonly TopicPartitionKey[],
  at: OffsetSpec,
  errors: Error[],
): Promise<Planned[]> {
  if (keys.length === 0) return [];
  const plan: Planned[] = [];
  const missing: TopicPartitionKey[] = [];
  for (const [{ topic, partition }, outcome] of await admin.listOffsets(keys.map((key) => ({ ...key, at })))) {
    if (!outcome.ok) errors.push(outcome.error);
    else if (outcome.value.offset === null) missing.push({ topic, partition });
    else plan.push({ groupId, topic, partition, offset: outcome.value.offset.toBigInt() });
  }
  if (missing.length > 0) append(plan, await offsetsAt(admin, groupId, missing, 'latest', errors));
  return plan;
}

/** An offset outside of a log becomes its beginning or end, as with Kafka's tool. */
async function clampedPlan(admin: Admin, wanted: readonly Planned[], errors: Error[]): Promise<Planned[]> {
  if (wanted.length === 0) return [];
  const groupId = wanted[0]!.groupId;
  const keys = wanted.map(({ topic, partition }) => ({ topic, partition }));
  const first = await offsetsAt(admin, groupId, keys, 'earliest', errors);
  const last = await offsetsAt(admin, groupId, keys, 'latest', errors);
  const firsts = new Map(first.map((one) => [nameOf(one), one.offset]));
  const lasts = new Map(last.map((one) => [nameOf(one), one.offset]));
  return wanted.flatMap((one) => {
    const [low, high] = [firsts.get(nameOf(one)), lasts.get(nameOf(one))];
    if (low === undefined || high === undefined) return [];
    return [{ ...one, offset: one.offset < low ? low : one.offset > high ? high : one.offset }];
  });
}

async function execute(admin: Admin, ids: readonly string[], plan: readonly Planned[]): Promise<Error[]> {
  const errors: Error[] = [];
  for (const groupId of ids) {
    const offsets = plan.filter((one) => one.groupId === groupId);
    if (offsets.length === 0) continue;
    const results = await admin.alterConsumerGroupOffsets(
      groupId,
      offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
    );
    for (const [key, outcome] of results) {
      if (outcome.ok) continue;
      const { error } = outcome;
      if ((error as { errorName?: string }).errorName === 'UNKNOWN_MEMBER_ID')
        error.message = `group ${groupId} has members: stop them first (${error.message})`;
      error.message = `${nameOf(key)}: ${error.message}`;
      errors.push(error);
    }
  }
  return errors;
}

/** The CSV of Kafka's tool: with the group first if there are several. */
function csvLine({ groupId, topic, partition, offset }: Planned, isSeveral: boolean): string {
  return `${isSeveral ? `"${groupId.replaceAll('"', '""')}",` : ''}"${topic}",${partition},${offset}`;
}

const csvPattern = /^(?:(?:"((?:[^"]|"")*)"|([^",]*)),)?(?:"([^"]*)"|([^",]+)),(\d+),(\d+)$/;

function readPlan(path: string, ids: readonly string[]): Planned[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--from-file: ${(error as Error).message}`);
  }
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const match = csvPattern.exec(line.trim());
    if (match === null)
      throw new InputError(`${path}, line ${i + 1}: expected TOPIC,PARTITION,OFFSET or GROUP,TOPIC,PARTITION,OFFSET`);
    const group = (match[1] ?? match[2])?.replaceAll('""', '"');
    if (group === undefined && ids.length > 1) throw new InputError(`${path}, line ${i + 1}: name the group first`);
    const groupId = group ?? ids[0]!;
    return [
      { groupId, topic: (match[3] ?? match[4])!, partition: Number(match[5]), offset: int64Of('an offset', match[6]!) },
    ];
  });
}
