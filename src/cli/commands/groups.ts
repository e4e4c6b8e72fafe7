// Owns the command `groups`: what kafka-consumer-groups does. Main thread.

import type { Command } from 'commander';
import type { Admin } from '../../index.ts';
import type { Context } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, gathered, names, oneOf, topicAndPartitions } from '../flags.ts';
import { describeGroups } from '../groups/describe.ts';
import type { GroupFlags } from '../groups/group-flags.ts';
import { resetOffsets } from '../groups/reset.ts';
import { describeError } from '../io/describe-error.ts';
import { reportOutcomes } from '../io/outcomes.ts';

const actions = ['list', 'describe', 'resetOffsets', 'delete', 'deleteOffsets'] as const;

export const groups: Declaration = {
  name: 'groups',
  description: 'list and describe groups, show their lag, reset their offsets, delete them',
  help: `Without --execute, --reset-offsets only shows what it would do.

Examples:
  offthread-kafka groups --list --bootstrap-server localhost:9092
  offthread-kafka groups --describe --group billing
  offthread-kafka groups --reset-offsets --group billing --topic orders --to-earliest --execute`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .option('--list', 'list groups')
      .option('--describe', 'show offsets and lag of groups, or their members or state')
      .option('--reset-offsets', 'set the offsets of a group that has no members')
      .option('--delete', 'delete groups that have no members')
      .option('--delete-offsets', 'delete committed offsets of topics')
      .option('--group <id>', 'the group; may be given several times', gathered)
      .option('--all-groups', 'all groups')
      .option(
        '--topic <topic:partitions>',
        'topics, such as orders or orders:0,1; may be given several times',
        gathered,
      )
      .option('--all-topics', 'all topics of the group')
      .option('--state [states]', 'list: with states, or only these; describe: the state of groups')
      .option('--type [types]', 'list: with types, or only these')
      .option('--members', 'describe members')
      .option('--offsets', 'describe offsets (the default)')
      .option('--execute', 'do it')
      .option('--dry-run', 'only show it (the default)')
      .option('--export', 'print the plan as CSV')
      .option('--from-file <file>', 'offsets to set, in the CSV of --export')
      .option('--to-earliest', 'to the first record')
      .option('--to-latest', 'to the end')
      .option('--to-current', 'to the committed offset')
      .option('--to-offset <offset>', 'to this offset')
      .option('--to-datetime <time>', 'to the first record of this time, such as 2026-01-31T12:00:00.000')
      .option('--by-duration <duration>', 'to the first record of so long ago, such as PT24H')
      .option('--shift-by <number>', 'so many records ahead, or back if negative');
  },
  run: async (context: Context, flags: GroupFlags) => {
    const action = oneOf(flags, actions);
    if (action !== 'list' && flags.group === undefined && flags.allGroups !== true)
      throw new UsageError(`name the group: --group ID${action === 'deleteOffsets' ? '' : ', or --all-groups'}`);
    const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
    if (action === 'list') return list(context, admin, flags);
    const ids = flags.allGroups === true ? await allGroups(context, admin) : flags.group!;
    switch (action) {
      case 'describe':
        return describeGroups(context, admin, ids, flags);
      case 'resetOffsets':
        return resetOffsets(context, admin, ids, flags);
      case 'delete':
        return reportOutcomes(context, 'deleted group', await admin.deleteGroups(ids));
      case 'deleteOffsets':
        return deleteOffsets(context, admin, ids, flags);
    }
  },
};

/** `true` for a flag without a value. */
function filterOf(flag: string | true | undefined): readonly string[] {
  return typeof flag === 'string' ? names(flag, []).map((name) => name.trim()) : [];
}

const typeNames = ['classic', 'consumer', 'share', 'streams'] as const;

async function list(context: Context, admin: Admin, flags: GroupFlags): Promise<number> {
  const types = filterOf(flags.type).map((text) => {
    const type = typeNames.find((name) => name === text.toLowerCase());
    if (type === undefined) throw new UsageError(`--type must be of ${typeNames.join(', ')}, not '${text}'`);
    return type;
  });
  const states = filterOf(flags.state);
  // As Kafka's tool: groups of consumers, and groups that only have offsets.
  const protocolTypes = types.includes('share') || types.includes('streams') ? [] : ['consumer', ''];
  const { groups: found, errors } = await admin.listGroups({ states, types, protocolTypes });
  for (const [brokerId, error] of errors) context.say(`broker ${brokerId}: ${describeError(error)}`);
  if (flags.state !== undefined || flags.type !== undefined || context.isJson) {
    await context.rows(
      [
        { key: 'groupId', title: 'GROUP' },
        { key: 'type', title: 'TYPE' },
        { key: 'state', title: 'STATE' },
      ],
      found.map((group) => ({ ...group })),
    );
  } else for (const { groupId } of found) context.out.line(groupId);
  return errors.size === 0 ? exitCodes.success : exitCodes.failure;
}

async function allGroups(context: Context, admin: Admin): Promise<readonly string[]> {
  const { groups: found, errors } = await admin.listGroups({ protocolTypes: ['consumer', ''] });
  for (const [brokerId, error] of errors) context.say(`broker ${brokerId}: ${describeError(error)}`);
  return found.map(({ groupId }) => groupId);
}

async function deleteOffsets(
  context: Context,
  admin: Admin,
  ids: readonly string[],
  flags: GroupFlags,
): Promise<number> {
  if (flags.topic === undefined) throw new UsageError('--delete-offsets needs --topic');
  let exitCode: number = exitCodes.success;
  for (const groupId of ids) {
    const committed = (await admin.listConsumerGroupOffsets([{ groupId }])).orThrow().get(groupId)!;
    const wanted = flags.topic.map(topicAndPartitions);
    const partitions = [...committed.keys()].filter(({ topic, partition }) =>
      wanted.some((one) => one.topic === topic && (one.partitions === null || one.partitions.includes(partition))),
    );
    if (partitions.length === 0) throw new UsageError(`group ${groupId} has no offset of ${flags.topic.join(', ')}`);
    const results = await admin.deleteConsumerGroupOffsets(groupId, partitions);
    const code = reportOutcomes(context, 'deleted offset of', results, {
      nameOf: ({ topic, partition }) => `${topic}-${partition}`,
    });
    if (code !== exitCodes.success) exitCode = code;
  }
  return exitCode;
}
