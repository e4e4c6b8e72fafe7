// Owns the flags of the command `acls`, and the entries and filters that they mean. Main thread.

import { append } from '../../common/lists.ts';
import { nearestName } from '../../common/text.ts';
import type { AclBinding, AclFilter } from '../../index.ts';
import { UsageError } from '../exit-codes.ts';

export interface AclFlags {
  readonly list?: boolean;
  readonly add?: boolean;
  readonly remove?: boolean;
  readonly topic?: readonly string[];
  readonly group?: readonly string[];
  readonly cluster?: boolean;
  readonly transactionalId?: readonly string[];
  readonly delegationToken?: readonly string[];
  readonly userPrincipal?: readonly string[];
  readonly resourcePatternType: string;
  readonly allowPrincipal?: readonly string[];
  readonly denyPrincipal?: readonly string[];
  readonly principal?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly denyHost?: readonly string[];
  readonly operation?: readonly string[];
  readonly producer?: boolean;
  readonly consumer?: boolean;
  readonly idempotent?: boolean;
}

type Operation = Exclude<AclBinding['operation'], number>;
type ResourceType = Exclude<AclBinding['resourceType'], number>;
type PatternType = Exclude<AclBinding['patternType'], number>;

const operations: readonly Operation[] = [
  'all',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
  'createTokens',
  'describeTokens',
  'twoPhaseCommit',
];

/** Kafka's own name of the one cluster. */
const clusterName = 'kafka-cluster';

export interface Resource {
  readonly resourceType: ResourceType;
  readonly resourceName: string;
}

export function resourcesOf(flags: AclFlags): Resource[] {
  const named = (resourceType: ResourceType, list: readonly string[] | undefined): Resource[] =>
    (list ?? []).map((resourceName) => ({ resourceType, resourceName }));
  return [
    ...named('topic', flags.topic),
    ...named('group', flags.group),
    ...(flags.cluster === true ? named('cluster', [clusterName]) : []),
    ...named('transactionalId', flags.transactionalId),
    ...named('delegationToken', flags.delegationToken),
    ...named('user', flags.userPrincipal),
  ];
}

/** Throws UsageError. */
export function bindingsOf(flags: AclFlags): AclBinding[] {
  const patternType = patternTypeOf(flags.resourcePatternType);
  if (patternType === 'any' || patternType === 'match')
    throw new UsageError('--add needs --resource-pattern-type literal or prefixed');
  if ((flags.allowPrincipal ?? flags.denyPrincipal) === undefined)
    throw new UsageError('--add needs --allow-principal or --deny-principal');
  const bindings: AclBinding[] = [];
  for (const { resourceType, resourceName, operation } of grants(flags)) {
    // The cluster has one name.
    const pattern = resourceType === 'cluster' ? 'literal' : patternType;
    for (const [permission, principals, hosts] of [
      ['allow', flags.allowPrincipal, flags.allowHost],
      ['deny', flags.denyPrincipal, flags.denyHost],
    ] as const) {
      for (const principal of principals ?? []) {
        for (const host of hosts ?? ['*'])
          bindings.push({ resourceType, resourceName, patternType: pattern, principal, host, operation, permission });
      }
    }
  }
  return bindings;
}

type Grant = Resource & { readonly operation: Operation };

function grants(flags: AclFlags): Grant[] {
  const resources = resourcesOf(flags);
  if (flags.producer !== true && flags.consumer !== true) {
    if (resources.length === 0) throw new UsageError('--add needs a resource, such as --topic NAME');
    const wanted = flags.operation === undefined ? (['all'] as const) : flags.operation.map(operationOf);
    return resources.flatMap((resource) => wanted.map((operation) => ({ ...resource, operation })));
  }
  if (flags.operation !== undefined) throw new UsageError('--producer and --consumer go without --operation');
  const of = (type: ResourceType, ...list: readonly Operation[]): Grant[] =>
    resources
      .filter(({ resourceType }) => resourceType === type)
      .flatMap((resource) => list.map((operation) => ({ ...resource, operation })));
  const found: Grant[] = [];
  if (!resources.some(({ resourceType }) => resourceType === 'topic'))
    throw new UsageError('--producer and --consumer need --topic');
  if (flags.producer === true) {
    append(found, of('topic', 'write', 'describe', 'create'));
    append(found, of('transactionalId', 'write', 'describe'));
    if (flags.idempotent === true)
      found.push({ resourceType: 'cluster', resourceName: clusterName, operation: 'idempotentWrite' });
  }
  if (flags.consumer === true) {
    if (!resources.some(({ resourceType }) => resourceType === 'group'))
      throw new UsageError('--consumer needs --group');
    append(found, of('topic', 'read', 'describe'));
    append(found, of('group', 'read'));
  }
  const byText = new Map(found.map((grant) => [JSON.stringify(grant), grant]));
  return [...byText.values()];
}

/** Throws UsageError. */
export function filtersOf(flags: AclFlags): AclFilter[] {
  const patternType = patternTypeOf(flags.resourcePatternType);
  const resources: (Resource | null)[] = resourcesOf(flags);
  if (resources.length === 0) resources.push(null);
  const entries: AclFilter[] = [];
  const principals: [AclFilter['permission'], string][] = [
    ...(flags.principal ?? []).map((one) => [undefined, one] as [undefined, string]),
    ...(flags.allowPrincipal ?? []).map((one) => ['allow', one] as ['allow', string]),
    ...(flags.denyPrincipal ?? []).map((one) => ['deny', one] as ['deny', string]),
  ];
  const wanted = flags.operation?.map(operationOf) ?? [undefined];
  for (const resource of resources) {
    // Without a resource the filter matches every entry with any pattern.
    const place = resource === null ? {} : { ...resource, patternType };
    for (const operation of wanted) {
      const about = { ...place, ...(operation !== undefined && { operation }) };
      if (principals.length === 0) entries.push(about);
      for (const [permission, principal] of principals)
        entries.push({ ...about, principal, ...(permission !== undefined && { permission }) });
    }
  }
  return entries;
}

/** `DescribeConfigs`, `describe-configs` and `describe_configs` are the same. */
function operationOf(text: string): Operation {
  const plain = text.replace(/[-_]/g, '').toLowerCase();
  const found = operations.find((name) => name.toLowerCase() === plain);
  if (found !== undefined) return found;
  const near = nearestName(text, operations, 4);
  const hint = near === undefined ? `known are ${operations.join(', ')}` : `did you mean ${near}?`;
  throw new UsageError(`there is no operation '${text.slice(0, 80)}'; ${hint}`);
}

function patternTypeOf(text: string): PatternType {
  const found = (['literal', 'prefixed', 'match', 'any'] as const).find((name) => name === text.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError(`--resource-pattern-type must be literal, prefixed, match or any, not '${text.slice(0, 80)}'`);
}
