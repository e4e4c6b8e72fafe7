// Owns the command `metadata`: brokers, topics and partitions in one table. Main thread.

import type { Command } from 'commander';
import type { Admin, DescribedTopic } from '../../index.ts';
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
    const client = await context.client();
    const admin = client.admin({ timeoutMs: context.timeoutMs });
    const [cluster, listed] = await Promise.all([
      admin.describeCluster(),
      flags.topic === undefined ? admin.listTopics({ includeInternal: flags.excludeInternal !== true }) : null,
    ]);
    const wanted = flags.topic ?? listed!.map(({ name }) => name);
    const described = wanted.length === 0 ? new Map<string, DescribedTopic>() : await describeAll(admin, wanted);
    if (context.isJson) {
      context.out.line(jsonText({ ...cluster, topics: [...described.values()] }));
      return;
    }
    context.out.line(`cluster ${cluster.clusterId ?? '-'}, controller ${cluster.controllerId}`);
    context.out.line(`${cluster.brokers.length} brokers:`);
    await context.rows(
      [
        { key: 'nodeId', title: 'BROKER', isNumber: true },
        { key: 'host', title: 'HOST' },
        { key: 'port', title: 'PORT', isNumber: true },
        { key: 'rack', title: 'RACK' },
      ],
      cluster.brokers.map((broker) => ({ ...broker })),
    );
    context.out.line(`${described.size} topics:`);
    const rows = [...described.values()].flatMap(({ name, partitions }) =>
      partitions.map((partition) => ({ topic: name, ...partition })),
    );
    await context.rows(partitionColumns, rows);
  },
};

const partitionColumns = [
  { key: 'topic', title: 'TOPIC' },
  { key: 'partition', title: 'PARTITION', isNumber: true },
  { key: 'leader', title: 'LEADER', isNumber: true },
  { key: 'replicas', title: 'REPLICAS' },
  { key: 'isr', title: 'ISR' },
] as const;

async function describeAll(admin: Admin, topics: readonly string[]) {
  return (await admin.describeTopics(topics)).orThrow();
}
