// Owns the checks of the arguments of administration calls: options, lists, and the items in lists. What is wrong is refused here in the
// caller's words, since the network thread only sees copies. Application thread. Must not check what the broker decides, such as limits.

import Long from 'long';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import { checkList, checkNames, checkOptions, unknownName } from '../../common/options.ts';
import { shown } from '../../common/text.ts';

const kinds = {
  text: ['a string', (value: unknown) => typeof value === 'string'],
  integer: ['an integer', (value: unknown) => Number.isInteger(value)],
  int64: ['an integer as Long, number or bigint', isInt64],
  list: ['a list', (value: unknown) => Array.isArray(value)],
  object: ['an object', (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)],
  flag: ['true or false', (value: unknown) => typeof value === 'boolean'],
  topic: ["a topic's name, or its id as { topicId }", isTopic],
  bytes: ['a Uint8Array', (value: unknown) => value instanceof Uint8Array],
  any: ['there', (value: unknown) => value !== undefined],
} as const satisfies Record<string, readonly [what: string, isOne: (value: unknown) => boolean]>;

const topicIdPattern = /^[\w-]{22}$/;

type Kind = keyof typeof kinds;

/** The fields of an item. A name that ends with `?` may be left out. */
export type Fields = Readonly<Record<string, Kind>>;

const place = { topic: 'text', partition: 'integer' } as const;

export const fieldsOf = {
  place,
  newTopic: {
    name: 'text',
    'partitions?': 'integer',
    'replicationFactor?': 'integer',
    'assignments?': 'list',
    'configs?': 'object',
  },
  newPartitions: { topic: 'text', totalCount: 'integer', 'assignments?': 'list' },
  recordsToDelete: { ...place, beforeOffset: 'int64' },
  offsetQuestion: { ...place, at: 'any' },
  configResource: { type: 'text', name: 'text' },
  configChanges: { resource: 'object', changes: 'list' },
  configChange: { name: 'text', operation: 'text', 'value?': 'text' },
  featureUpdate: { feature: 'text', maxVersionLevel: 'integer', 'kind?': 'text' },
  listener: { name: 'text', host: 'text', port: 'integer' },
  reassignment: { ...place, replicas: 'any' },
  logDirMove: { ...place, brokerId: 'integer', path: 'text' },
  transactionToAbort: { ...place, producerId: 'int64', producerEpoch: 'integer', coordinatorEpoch: 'integer' },
  groupPlaces: { groupId: 'text', 'partitions?': 'list' },
  offsetToCommit: { ...place, offset: 'int64', 'leaderEpoch?': 'integer', 'metadata?': 'text' },
  memberToRemove: { groupInstanceId: 'text' },
  replica: { ...place, brokerId: 'integer' },
  shareOffset: { ...place, startOffset: 'int64' },
  acl: {
    resourceType: 'any',
    resourceName: 'text',
    patternType: 'any',
    principal: 'text',
    host: 'text',
    operation: 'any',
    permission: 'any',
  },
  aclFilter: {
    'resourceType?': 'any',
    'resourceName?': 'text',
    'patternType?': 'any',
    'principal?': 'text',
    'host?': 'text',
    'operation?': 'any',
    'permission?': 'any',
  },
  quotaFilter: { components: 'list', 'strict?': 'flag' },
  quotaComponent: { entityType: 'text', 'match?': 'any' },
  quotaAlteration: { entity: 'object', values: 'object' },
  scramAlteration: {
    user: 'text',
    mechanism: 'text',
    'password?': 'text',
    'iterations?': 'integer',
    'delete?': 'flag',
  },
} as const satisfies Readonly<Record<string, Fields>>;

/** Throws TypeError for an option that the call does not know. @param own names of options beside those of every call */
export function checkCall<T extends AdminCallOptions>(call: string, options: T, own: readonly string[] = []): void {
  checkOptions(call, options, ['timeoutMs', 'signal', ...own]);
}

/** Throws TypeError for anything but a list of such values. */
export function checkEach(call: string, name: string, value: unknown, kind: Kind): void {
  checkList(call, name, value);
  for (const [i, one] of value.entries()) check(call, `${name}[${i}]`, one, kind);
}

/** Throws TypeError for anything but such a value. */
export function check(call: string, name: string, value: unknown, kind: Kind): void {
  const [what, isOne] = kinds[kind];
  if (!isOne(value)) throw new TypeError(`${call}: ${name} must be ${what}, not ${shown(value)}`);
}

/** Throws TypeError for anything but a list of objects with these fields: a field that is misspelt would be one that is missing. */
export function checkItems(call: string, name: string, value: unknown, fields: Fields): void {
  checkList(call, name, value);
  for (const [i, item] of value.entries()) checkItem(call, `${name}[${i}]`, item, fields);
}

/** Throws TypeError for anything but an object with these fields. */
export function checkItem(call: string, name: string, item: unknown, fields: Fields): void {
  check(call, name, item, 'object');
  const known = Object.keys(fields).map((field) => field.replace('?', ''));
  checkNames(`${call}: ${name} has an unknown field`, item as object, known);
  for (const [field, kind] of Object.entries(fields)) {
    const one = (item as Record<string, unknown>)[field.replace('?', '')];
    if (field.endsWith('?') && (one === undefined || one === null)) continue;
    check(call, `${name}.${field.replace('?', '')}`, one, kind);
  }
}

/** Throws TypeError for anything but a list of groups, each with partitions or without. */
export function checkGroups(call: string, groups: unknown): void {
  checkItems(call, 'groups', groups, fieldsOf.groupPlaces);
  for (const [i, { partitions }] of (groups as readonly { readonly partitions?: unknown }[]).entries())
    if (partitions !== undefined && partitions !== null)
      checkItems(call, `groups[${i}].partitions`, partitions, fieldsOf.place);
}

const offsetSpecs = ['earliest', 'latest', 'maxTimestamp', 'earliestLocal', 'latestTiered', 'earliestPendingUpload'];

/** Throws TypeError for anything but a name of an offset, or a time. */
export function checkOffsetSpec(call: string, name: string, spec: unknown): void {
  if (typeof spec !== 'string') checkItem(call, name, spec, { timestampMs: 'int64' });
  else if (!offsetSpecs.includes(spec)) throw unknownName(`${call}: ${name} is unknown:`, spec, offsetSpecs);
}

/** A name, or an id: 16 bytes in base64url, as Kafka prints it. */
function isTopic(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  const [name, ...others] = Object.keys(value);
  const { topicId } = value as { topicId?: unknown };
  return name === 'topicId' && others.length === 0 && typeof topicId === 'string' && topicIdPattern.test(topicId);
}

function isInt64(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value) || Long.isLong(value);
}
