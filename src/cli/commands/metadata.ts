// Owns the command `metadata`: brokers, topics and partitions in one table. Main thread.

import type { Command } from 'commander';
import { askAny } from '../ask-any.ts';
import { type Context, jsonText } from '../context.ts';
import { UsageError } from '../exit-codes.ts';
import { type Declaration, names } from '../flags.ts';

interface Flags {
  readonly topic?: readonly string[];
  readonly excludeInternal?: boolean;
}

export const metadata: Declaration = {
  name: 'metadata',
  description: 'show brokers, topics and partitions, or the controllers and their quorum',
  help: `Examples:
  offthread-kafka metadata --bootstrap-server localhost:9092
  offthread-kafka metadata --bootstrap-server localhost:9092 --topic orders --output json
  offthread-kafka metadata --bootstrap-controller localhost:9093`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .option('--topic <names>', 'only these topics', names)
      .option('--exclude-internal', 'leave out internal topics');
  },
  run: async (context: Context, flags: Flags) => {
    if ((await context.config()).client.bootstrapControllers !== undefined) return showQuorum(context, flags);
    const cluster = await clusterOf(context, flags);
    if (context.isJson) {
      context.out.line(jsonText(cluster));
      return undefined;
    }
    const { clusterId, controllerId, brokers, topics } = cluster;
    context.out.line(`cluster ${clusterId ?? '-'}, controller ${controllerId}`);
    context.out.line(`${brokers.length} brokers:`);
    await context.rows(brokerColumns, brokers);
    context.out.line(`${topics.length} topics:`);
    const rows = topics.flatMap(({ name, partitions }) =>
      partitions.map((partition) => ({ topic: name, ...partition })),
    );
    await context.rows(partitionColumns, rows);
    return undefined;
  },
};

/** Controllers know no topics. */
async function showQuorum(context: Context, flags: Flags): Promise<undefined> {
  if (flags.topic !== undefined) throw new UsageError('--topic needs brokers: give --bootstrap-server');
  const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
  const { clusterId, brokers } = await admin.describeCluster();
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = await admin.describeMetadataQuorum();
  const controllers = brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }));
  if (context.isJson) {
    const quorum = { leaderId, leaderEpoch, highWatermark, voters, observers };
    context.out.line(jsonText({ clusterId, controllers, ...quorum }));
    return undefined;
  }
  context.out.line(`cluster ${clusterId}, leader ${leaderId}, epoch ${leaderEpoch}, high watermark ${highWatermark}`);
  await context.rows(controllerColumns, controllers);
  const leaderEnd = voters.find(({ replicaId }) => replicaId === leaderId)?.logEndOffset;
  const replicas = [
    ...voters.map((one) => ['voter', one] as const),
    ...observers.map((one) => ['observer', one] as const),
  ];
  const rows = replicas.map(([role, { replicaId, directoryId, logEndOffset }]) => {
    return { replicaId, role, directoryId, logEndOffset, lag: leaderEnd?.sub(logEndOffset) ?? null };
  });
  await context.rows(replicaColumns, rows);
  return undefined;
}

/** One request to one broker has it all, and so this is no call of the Admin: it is the command that people wait for. */
async function clusterOf(context: Context, flags: Flags) {
  const client = await context.client();
  const { errorFor, Metadata } = await context.library();
  const topics = flags.topic?.map((name) => ({ name })) ?? null;
  const answer = await askAny(context, client, Metadata, { topics, allowAutoTopicCreation: false });
  const errors: Error[] = [];
  for (const { name, errorCode } of flags.topic === undefined ? [] : answer.topics) {
    const error = errorFor(errorCode);
    if (error === null) continue;
    error.message = `topic ${name}: ${error.message}`;
    errors.push(error);
  }
  if (errors.length > 0) throw new AggregateError(errors);
  const isShown = (isInternal: boolean): boolean => !isInternal || flags.excludeInternal !== true;
  return {
    clusterId: answer.clusterId,
    controllerId: answer.controllerId,
    brokers: answer.brokers
      .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
      .sort((a, b) => a.nodeId - b.nodeId),
    topics: answer.topics
      .filter(({ name, isInternal }) => name !== null && isShown(isInternal))
      .map(({ name, topicId, isInternal, partitions }) => ({
        name: name!,
        topicId: topicId === noTopicId ? null : topicId,
        isInternal,
        partitions: partitions
          .map((one) => ({
            partition: one.partitionIndex,
            leader: one.leaderId,
            leaderEpoch: one.leaderEpoch,
            replicas: [...one.replicaNodes],
            isr: [...one.isrNodes],
            offlineReplicas: [...one.offlineReplicas],
          }))
          .sort((a, b) => a.partition - b.partition),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Brokers before 2.8 send this id. */
const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA';

const brokerColumns = [
  { key: 'nodeId', title: 'BROKER', isNumber: true },
  { key: 'host', title: 'HOST' },
  { key: 'port', title: 'PORT', isNumber: true },
  { key: 'rack', title: 'RACK' },
] as const;

const controllerColumns = [
  { key: 'nodeId', title: 'CONTROLLER', isNumber: true },
  { key: 'host', title: 'HOST' },
  { key: 'port', title: 'PORT', isNumber: true },
] as const;

const replicaColumns = [
  { key: 'replicaId', title: 'REPLICA', isNumber: true },
  { key: 'role', title: 'ROLE' },
  { key: 'directoryId', title: 'DIRECTORY' },
  { key: 'logEndOffset', title: 'LOG-END-OFFSET', isNumber: true },
  { key: 'lag', title: 'LAG', isNumber: true },
] as const;

const partitionColumns = [
  { key: 'topic', title: 'TOPIC' },
  { key: 'partition', title: 'PARTITION', isNumber: true },
  { key: 'leader', title: 'LEADER', isNumber: true },
  { key: 'replicas', title: 'REPLICAS' },
  { key: 'isr', title: 'ISR' },
] as const;
