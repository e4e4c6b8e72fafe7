// Owns the command `configs`: what kafka-configs does, with quotas and SCRAM users. Main thread.

import type { Command } from 'commander';
import type { Admin, ConfigChange, ConfigResource, ConfigResourceType } from '../../index.ts';
import { splitConfigs } from '../configs/config-list.ts';
import { alterEntities, describeEntities, type Entity } from '../configs/entities.ts';
import type { Context } from '../context.ts';
import { exitCodeFor, exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, gathered, oneOf } from '../flags.ts';
import { describeError } from '../io/describe-error.ts';
import { reportOutcomes } from '../io/outcomes.ts';

interface Flags {
  readonly describe?: boolean;
  readonly alter?: boolean;
  readonly entityType?: readonly string[];
  readonly entityName?: readonly string[];
  readonly entityDefault?: number;
  readonly addConfig?: readonly string[];
  readonly deleteConfig?: readonly string[];
  readonly all?: boolean;
}

const resourceTypes: Readonly<Record<string, ConfigResourceType>> = {
  topics: 'topic',
  brokers: 'broker',
  'broker-loggers': 'brokerLogger',
  'client-metrics': 'clientMetrics',
  groups: 'group',
};
const entityTypes: Readonly<Record<string, 'user' | 'client-id' | 'ip'>> = {
  users: 'user',
  clients: 'client-id',
  ips: 'ip',
};

export const configs: Declaration = {
  name: 'configs',
  description: 'show and change configurations, quotas and SCRAM users',
  help: `ENTITY-TYPE is one of ${[...Object.keys(resourceTypes), ...Object.keys(entityTypes)].join(', ')}. A user and a client may
be given together. In --add-config, [ ] hold a value with commas.

Examples:
  offthread-kafka configs --describe --entity-type topics --entity-name orders
  offthread-kafka configs --alter --entity-type topics --entity-name orders --add-config retention.ms=3600000
  offthread-kafka configs --alter --entity-type users --entity-name alice \\
    --add-config 'SCRAM-SHA-512=[iterations=8192,password=secret]'`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .option('--describe', 'show configurations')
      .option('--alter', 'change configurations')
      .option('--entity-type <type>', 'what has the configuration', gathered)
      .option('--entity-name <name>', 'its name or id', gathered)
      .option(
        '--entity-default',
        'the default of its kind',
        (_: string, before: number | undefined) => (before ?? 0) + 1,
      )
      .option('--add-config <key=value,...>', 'set these', gathered)
      .option('--delete-config <key,...>', 'remove these', gathered)
      .option('--all', 'describe: also what is not changed');
  },
  run: async (context: Context, flags: Flags) => {
    const action = oneOf(flags, ['describe', 'alter'] as const);
    const types = flags.entityType ?? [];
    if (types.length === 0) throw new UsageError('give --entity-type');
    const added = splitConfigs(flags.addConfig ?? []);
    const deleted = (flags.deleteConfig ?? []).flatMap((list) => list.split(',')).map((key) => key.trim());
    if (action === 'alter' && added.size + deleted.length === 0)
      throw new UsageError('--alter needs --add-config or --delete-config');
    const isEntity = types.every((type) => Object.hasOwn(entityTypes, type));
    if (isEntity) {
      const entity = entityOf(types, flags);
      const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
      if (action === 'describe') return describeEntities(context, admin, entity);
      return alterEntities(context, admin, entity, added, deleted);
    }
    const resource = resourceOf(types, flags, action);
    const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
    if (action === 'describe') return describe(context, admin, resource, flags.all === true);
    const changes: ConfigChange[] = [
      ...[...added].map(([name, value]) => ({ name, operation: 'set' as const, value })),
      ...deleted.map((name) => ({ name, operation: 'delete' as const })),
    ];
    const one = { type: resource.type, name: resource.name ?? '' };
    const results = await admin.incrementalAlterConfigs([{ resource: one, changes }]);
    return reportOutcomes(context, 'changed configuration of', results, { nameOf: resourceName });
  },
};

function entityOf(types: readonly string[], flags: Flags): Entity[] {
  const entityNames = flags.entityName ?? [];
  return types.map((type, i) => {
    const match = entityNames[i];
    const isDefault = match === undefined && i < entityNames.length + (flags.entityDefault ?? 0);
    return { type: entityTypes[type]!, match: match ?? (isDefault ? null : undefined) };
  });
}

interface Chosen {
  readonly type: ConfigResourceType;
  /** Null: all of this type. */
  readonly name: string | null;
}

function resourceOf([type = '', ...others]: readonly string[], flags: Flags, action: 'describe' | 'alter'): Chosen {
  if (others.length > 0) throw new UsageError('only users and clients can be given together');
  const found = Object.hasOwn(resourceTypes, type) ? resourceTypes[type] : undefined;
  if (found === undefined) {
    const known = [...Object.keys(resourceTypes), ...Object.keys(entityTypes)].join(', ');
    throw new UsageError(`--entity-type must be one of ${known}, not '${type.slice(0, 80)}'`);
  }
  if (flags.entityDefault !== undefined) {
    if (found === 'broker') return { type: found, name: '' };
    throw new UsageError('only brokers, users, clients and ips have a default');
  }
  const name = flags.entityName?.[0] ?? null;
  if (name === null && action === 'alter') throw new UsageError('--alter needs --entity-name');
  return { type: found, name };
}

async function describe(context: Context, admin: Admin, { type, name }: Chosen, isAll: boolean): Promise<number> {
  const resources = name === null ? await allOf(admin, type) : [{ type, name }];
  const errors: Error[] = [];
  const rows: Record<string, unknown>[] = [];
  for (const [resource, outcome] of await admin.describeConfigs(resources, { includeSynonyms: true })) {
    if (!outcome.ok) {
      outcome.error.message = `${resourceName(resource)}: ${outcome.error.message}`;
      errors.push(outcome.error);
      continue;
    }
    for (const entry of outcome.value) {
      if (!isAll && !isDynamic(type, resource.name, entry.source)) continue;
      rows.push({
        entity: resourceName(resource),
        name: entry.name,
        value: entry.isSensitive ? '(sensitive)' : entry.value,
        source: sources[entry.source] ?? String(entry.source),
        sensitive: entry.isSensitive,
        readOnly: entry.readOnly,
      });
    }
  }
  await context.rows(
    [
      { key: 'entity', title: 'ENTITY' },
      { key: 'name', title: 'NAME' },
      { key: 'value', title: 'VALUE' },
      { key: 'source', title: 'SOURCE' },
    ],
    rows,
  );
  for (const error of errors) context.say(describeError(error));
  return errors.length === 0 ? exitCodes.success : exitCodeFor(new AggregateError(errors));
}

/** Kafka's names of where a value comes from, by number. Source: KIP-226, KIP-412, KIP-714 */
const sources: readonly string[] = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
];

/** Whether the value was set for this resource itself. */
function isDynamic(type: ConfigResourceType, name: string, source: number): boolean {
  const own: Readonly<Record<ConfigResourceType, string>> = {
    topic: 'DYNAMIC_TOPIC_CONFIG',
    broker: name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG',
    brokerLogger: 'DYNAMIC_BROKER_LOGGER_CONFIG',
    clientMetrics: 'DYNAMIC_CLIENT_METRICS_CONFIG',
    group: 'DYNAMIC_GROUP_CONFIG',
  };
  return sources[source] === own[type];
}

async function allOf(admin: Admin, type: ConfigResourceType): Promise<ConfigResource[]> {
  if (type === 'topic') return (await admin.listTopics({ includeInternal: true })).map(({ name }) => ({ type, name }));
  if (type === 'broker' || type === 'brokerLogger') {
    const { brokers } = await admin.describeCluster();
    const each = brokers.map(({ nodeId }) => ({ type, name: String(nodeId) }));
    return type === 'broker' ? [...each, { type, name: '' }] : each;
  }
  return [...(await admin.listConfigResources([type]))];
}

function resourceName({ type, name }: { readonly type: string | number; readonly name: string }): string {
  return `${type} ${name === '' ? '(default)' : name}`;
}
