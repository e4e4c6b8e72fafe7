// Owns the command `metadata`: brokers, topics and partitions in one table. Main thread.

import type { Command } from 'commander';
import { askAny } from '../ask-any.ts';
import { type Context, jsonText } from '../context.ts';
import { type Declaration, names } from '../flags.ts';

interface Flags {
  readonly topic?: readonly string[];
  readonly excludeInternal?: boolean;
}

export const metadata: Declaration = {
  name: 'metadata',
  description: 'show brokers, topics and partitions',
  help: `Examples:
  offthread-kafka metadata --bootstrap-server localhost:9092
  offthread-kafka metadata --bootstrap-server localhost:9092 --topic orders --output json`,
  flags: (command: Command) => {
    command
      .option('--topic <names>', 'only these topics', names)
      .option('--exclude-internal', 'leave out internal topics');
  },
  run: async (context: Context, flags: Flags) => {
    const cluster = await clusterOf(context, flags);
    if (context.isJson) {
      context.out.line(jsonText(cluster));
      return;
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
  },
};

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

const partitionColumns = [
  { key: 'topic', title: 'TOPIC' },
  { key: 'partition', title: 'PARTITION', isNumber: true },
  { key: 'leader', title: 'LEADER', isNumber: true },
  { key: 'replicas', title: 'REPLICAS' },
  { key: 'isr', title: 'ISR' },
] as const;
