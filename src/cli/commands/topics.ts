// Owns the command `topics`: what kafka-topics does. Main thread.

import type { Command } from 'commander';
import type { Admin, DescribedTopic } from '../../index.ts';
import { type Context, jsonText, keyAndValue } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, gathered, integerFrom, names, oneOf } from '../flags.ts';
import { reportOutcomes } from '../io/outcomes.ts';

interface Flags {
  readonly list?: boolean;
  readonly describe?: boolean;
  readonly create?: boolean;
  readonly delete?: boolean;
  readonly alter?: boolean;
  readonly topic?: readonly string[];
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly replicaAssignment?: string;
  readonly config?: readonly string[];
  readonly excludeInternal?: boolean;
  readonly ifExists?: boolean;
  readonly ifNotExists?: boolean;
  readonly underReplicatedPartitions?: boolean;
  readonly unavailablePartitions?: boolean;
  readonly validateOnly?: boolean;
}

const actions = ['list', 'describe', 'create', 'delete', 'alter'] as const;

export const topics: Declaration = {
  name: 'topics',
  description: 'list, describe, create, delete and alter topics',
  help: `Examples:
  offthread-kafka topics --list --bootstrap-server localhost:9092
  offthread-kafka topics --create --topic orders --partitions 6 --config retention.ms=86400000
  offthread-kafka topics --describe --topic orders`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .option('--list', 'list the names of topics')
      .option('--describe', 'show partitions, replicas and changed configurations')
      .option('--create', 'create topics')
      .option('--delete', 'delete topics')
      .option('--alter', 'raise the number of partitions')
      .option('--topic <names>', 'the topics; may be given several times', names)
      .option('--partitions <number>', 'number of partitions', integerFrom(1))
      .option('--replication-factor <number>', 'replicas of each partition', integerFrom(1, 32767))
      .option('--replica-assignment <ids>', 'broker ids of each partition, such as 1:2,2:3')
      .option('--config <key=value>', 'a configuration of a new topic', gathered)
      .option('--exclude-internal', 'leave out internal topics')
      .option('--if-exists', 'a topic that does not exist is no error')
      .option('--if-not-exists', 'a topic that exists already is no error')
      .option('--under-replicated-partitions', 'describe only partitions with too few replicas in sync')
      .option('--unavailable-partitions', 'describe only partitions without a leader')
      .option('--validate-only', 'only check what would be done');
  },
  run: async (context: Context, flags: Flags) => {
    const action = oneOf(flags, actions);
    if (flags.topic === undefined && (action === 'create' || action === 'delete' || action === 'alter'))
      throw new UsageError(`--${action} needs --topic`);
    if (action === 'alter' && flags.partitions === undefined) throw new UsageError('--alter needs --partitions');
    const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
    switch (action) {
      case 'list':
        return list(context, admin, flags);
      case 'describe':
        return describe(context, admin, flags);
      case 'create':
        return create(context, admin, flags);
      case 'delete':
        return reportOutcomes(context, 'deleted topic', await admin.deleteTopics(flags.topic!), {
          isFine: (name) => flags.ifExists === true && name === 'UNKNOWN_TOPIC_OR_PARTITION',
        });
      case 'alter':
        return alter(context, admin, flags);
    }
  },
};

async function namesOf(admin: Admin, flags: Flags): Promise<readonly string[]> {
  const listed = await admin.listTopics({ includeInternal: flags.excludeInternal !== true });
  return listed.map(({ name }) => name);
}

async function list(context: Context, admin: Admin, flags: Flags): Promise<number> {
  for (const name of await namesOf(admin, flags)) {
    if (flags.topic !== undefined && !flags.topic.includes(name)) continue;
    context.out.line(context.isJson ? jsonText({ name }) : name);
  }
  return exitCodes.success;
}

async function describe(context: Context, admin: Admin, flags: Flags): Promise<number> {
  const results = await admin.describeTopics(flags.topic ?? (await namesOf(admin, flags)));
  const found = [...results.values()].flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const resources = found.map(({ name }) => ({ type: 'topic', name }) as const);
  const configs = new Map<string, Record<string, string | null>>();
  for (const [{ name }, outcome] of await admin.describeConfigs(resources)) {
    if (outcome.ok) configs.set(name, changedOf(outcome.value));
  }
  for (const topic of found) {
    const partitions = topic.partitions.filter((one) => isWanted(one, flags));
    if (partitions.length === 0) continue;
    const config = configs.get(topic.name) ?? {};
    if (context.isJson) context.out.line(jsonText({ ...topic, partitions, configs: config }));
    else await describeOne(context, topic, partitions, config);
  }
  return reportOutcomes(context, null, results, {
    isFine: (name) => flags.ifExists === true && name === 'UNKNOWN_TOPIC_OR_PARTITION',
  });
}

type Partition = DescribedTopic['partitions'][number];

function isWanted(partition: Partition, flags: Flags): boolean {
  if (flags.underReplicatedPartitions === true && partition.isr.length >= partition.replicas.length) return false;
  return flags.unavailablePartitions !== true || partition.leader < 0;
}

/** Kafka's number for a configuration that was set for the topic itself. */
const topicConfigSource = 1;

function changedOf(entries: readonly { name: string; value: string | null; source: number; isDefault: boolean }[]) {
  const changed = entries.filter(({ source }) => source === topicConfigSource);
  return Object.fromEntries(changed.map(({ name, value }) => [name, value]));
}

async function describeOne(
  context: Context,
  topic: DescribedTopic,
  partitions: readonly Partition[],
  config: Readonly<Record<string, string | null>>,
): Promise<void> {
  const list = Object.entries(config).map(([key, value]) => `${key}=${value ?? '(sensitive)'}`);
  const factor = topic.partitions[0]?.replicas.length ?? 0;
  const head = [
    `topic ${topic.name}`,
    `id ${topic.topicId ?? '-'}`,
    `${topic.partitions.length} partitions`,
    `replication factor ${factor}`,
    `configs ${list.join(',') || '-'}`,
  ];
  context.out.line(head.join(', '));
  await context.rows(
    [
      { key: 'partition', title: 'PARTITION', isNumber: true },
      { key: 'leader', title: 'LEADER', isNumber: true },
      { key: 'replicas', title: 'REPLICAS' },
      { key: 'isr', title: 'ISR' },
      { key: 'offlineReplicas', title: 'OFFLINE' },
    ],
    partitions.map((one) => ({ ...one })),
  );
}

async function create(context: Context, admin: Admin, flags: Flags): Promise<number> {
  const { partitions, replicationFactor } = flags;
  const assignments = flags.replicaAssignment === undefined ? undefined : assignmentsOf(flags.replicaAssignment);
  if (assignments !== undefined && (partitions !== undefined || replicationFactor !== undefined))
    throw new UsageError(
      '--replica-assignment says partitions and replicas: leave out --partitions and --replication-factor',
    );
  const configs = Object.fromEntries((flags.config ?? []).map((pair) => keyAndValue('--config', pair)));
  const results = await admin.createTopics(
    flags.topic!.map((name) => ({
      name,
      ...(partitions !== undefined && { partitions }),
      ...(replicationFactor !== undefined && { replicationFactor }),
      ...(assignments !== undefined && { assignments }),
      configs,
    })),
    { validateOnly: flags.validateOnly === true, waitForLeaders: flags.validateOnly !== true },
  );
  return reportOutcomes(context, flags.validateOnly === true ? 'could create topic' : 'created topic', results, {
    isFine: (name) => flags.ifNotExists === true && name === 'TOPIC_ALREADY_EXISTS',
  });
}

async function alter(context: Context, admin: Admin, flags: Flags): Promise<number> {
  const assignments = flags.replicaAssignment === undefined ? undefined : assignmentsOf(flags.replicaAssignment);
  const results = await admin.createPartitions(
    flags.topic!.map((topic) => ({
      topic,
      totalCount: flags.partitions!,
      ...(assignments !== undefined && { assignments }),
    })),
    { validateOnly: flags.validateOnly === true },
  );
  return reportOutcomes(context, `${flags.partitions} partitions in topic`, results, {
    isFine: (name) => flags.ifExists === true && name === 'UNKNOWN_TOPIC_OR_PARTITION',
  });
}

/** `1:2,2:3`: partition 0 is on brokers 1 and 2, partition 1 on brokers 2 and 3. */
function assignmentsOf(text: string): number[][] {
  const lists = text.split(',').map((list) => list.split(':').map(Number));
  if (lists.flat().every((id) => Number.isInteger(id) && id >= 0)) return lists;
  throw new UsageError('--replica-assignment must be broker ids such as 1:2,2:3');
}
