// Owns `groups --describe`: offsets with lag, members, or states. Main thread.

import { append } from '../../common/lists.ts';
import type { Admin, DescribedConsumerGroup, TopicPartitionKey } from '../../index.ts';
import type { Context } from '../context.ts';
import { exitCodeFor, exitCodes, UsageError } from '../exit-codes.ts';
import { describeError } from '../io/describe-error.ts';
import { reportOutcomes } from '../io/outcomes.ts';
import type { GroupFlags } from './group-flags.ts';

const groupColumn = { key: 'group', title: 'GROUP' } as const;

export async function describeGroups(
  context: Context,
  admin: Admin,
  ids: readonly string[],
  flags: GroupFlags,
): Promise<number> {
  if (flags.members === true && flags.state !== undefined) throw new UsageError('give only one of --members, --state');
  const results = await admin.describeConsumerGroups(ids);
  const found = [...results.values()].flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  let exitCode: number = exitCodes.success;
  if (flags.members === true) await showMembers(context, found);
  else if (flags.state !== undefined) await showStates(context, found);
  else exitCode = await showOffsets(context, admin, found);
  const refused = reportOutcomes(context, null, results);
  return refused === exitCodes.success ? exitCode : refused;
}

async function showStates(context: Context, found: readonly DescribedConsumerGroup[]): Promise<void> {
  await context.rows(
    [
      groupColumn,
      { key: 'type', title: 'TYPE' },
      { key: 'assignor', title: 'ASSIGNOR' },
      { key: 'state', title: 'STATE' },
      { key: 'epoch', title: 'EPOCH', isNumber: true },
      { key: 'members', title: 'MEMBERS', isNumber: true },
    ],
    found.map(({ groupId, type, assignor, state, groupEpoch, members }) => ({
      group: groupId,
      type,
      assignor,
      state,
      epoch: groupEpoch < 0 ? null : groupEpoch,
      members: members.length,
    })),
  );
}

async function showMembers(context: Context, found: readonly DescribedConsumerGroup[]): Promise<void> {
  const rows = found.flatMap(({ groupId, members }) =>
    members.map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => ({
      group: groupId,
      memberId,
      groupInstanceId,
      host: clientHost,
      clientId,
      partitions: assignment.length,
      assignment: assignment.map(({ topic, partition }) => `${topic}-${partition}`),
    })),
  );
  await context.rows(
    [
      groupColumn,
      { key: 'memberId', title: 'CONSUMER-ID' },
      { key: 'groupInstanceId', title: 'INSTANCE-ID' },
      { key: 'host', title: 'HOST' },
      { key: 'clientId', title: 'CLIENT-ID' },
      { key: 'partitions', title: '#PARTITIONS', isNumber: true },
      { key: 'assignment', title: 'ASSIGNMENT' },
    ],
    rows,
  );
}

async function showOffsets(context: Context, admin: Admin, found: readonly DescribedConsumerGroup[]): Promise<number> {
  const errors: Error[] = [];
  const rows: Record<string, unknown>[] = [];
  for (const group of found) {
    context.checkSignal();
    if (group.members.length === 0) context.say(`group ${group.groupId} has no active members (${group.state})`);
    append(rows, await offsetRows(admin, group, errors));
  }
  await context.rows(
    [
      groupColumn,
      { key: 'topic', title: 'TOPIC' },
      { key: 'partition', title: 'PARTITION', isNumber: true },
      { key: 'currentOffset', title: 'CURRENT-OFFSET', isNumber: true },
      { key: 'logEndOffset', title: 'LOG-END-OFFSET', isNumber: true },
      { key: 'lag', title: 'LAG', isNumber: true },
      { key: 'consumerId', title: 'CONSUMER-ID' },
      { key: 'host', title: 'HOST' },
      { key: 'clientId', title: 'CLIENT-ID' },
    ],
    rows,
  );
  for (const error of errors) context.say(describeError(error));
  return errors.length === 0 ? exitCodes.success : exitCodeFor(new AggregateError(errors));
}

/** The committed offsets, and partitions of members without a committed offset. */
async function offsetRows(
  admin: Admin,
  { groupId, members }: DescribedConsumerGroup,
  errors: Error[],
): Promise<Record<string, unknown>[]> {
  const committed = (await admin.listConsumerGroupOffsets([{ groupId }])).orThrow().get(groupId)!;
  const rows = new Map<string, { key: TopicPartitionKey; offset: bigint | null }>();
  for (const [key, outcome] of committed) {
    if (!outcome.ok) errors.push(outcome.error);
    else if (outcome.value !== null) rows.set(nameOf(key), { key, offset: outcome.value.offset.toBigInt() });
  }
  const owners = new Map<string, (typeof members)[number]>();
  for (const member of members) {
    for (const key of member.assignment) {
      owners.set(nameOf(key), member);
      if (!rows.has(nameOf(key))) rows.set(nameOf(key), { key, offset: null });
    }
  }
  const keys = [...rows.values()].map(({ key }) => ({ topic: key.topic, partition: key.partition }));
  const ends = await endOffsets(admin, keys, errors);
  return [...rows]
    .sort(([, a], [, b]) =>
      a.key.topic < b.key.topic ? -1 : a.key.topic > b.key.topic ? 1 : a.key.partition - b.key.partition,
    )
    .map(([name, { key, offset }]) => {
      const end = ends.get(name) ?? null;
      const owner = owners.get(name);
      return {
        group: groupId,
        topic: key.topic,
        partition: key.partition,
        currentOffset: offset,
        logEndOffset: end,
        lag: offset === null || end === null ? null : end - offset,
        consumerId: owner?.memberId ?? null,
        host: owner?.clientHost ?? null,
        clientId: owner?.clientId ?? null,
      };
    });
}

export async function endOffsets(
  admin: Admin,
  keys: readonly TopicPartitionKey[],
  errors: Error[],
): Promise<Map<string, bigint>> {
  const ends = new Map<string, bigint>();
  if (keys.length === 0) return ends;
  for (const [key, outcome] of await admin.listOffsets(keys.map((key) => ({ ...key, at: 'latest' as const })))) {
    if (!outcome.ok) errors.push(outcome.error);
    else if (outcome.value.offset !== null) ends.set(nameOf(key), outcome.value.offset.toBigInt());
  }
  return ends;
}

export function nameOf({ topic, partition }: TopicPartitionKey): string {
  return `${topic}-${partition}`;
}
