// Owns `configs` of users, clients and addresses: quotas, and the SCRAM credentials of users. Main thread. No output may show a
// password.

import { append } from '../../common/lists.ts';
import type { Admin, ScramAlteration } from '../../index.ts';
import type { Context } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { reportOutcomes } from '../io/outcomes.ts';
import { splitConfigs } from './config-list.ts';

export interface Entity {
  readonly type: 'user' | 'client-id' | 'ip';
  /** A name; null: the default; undefined: any. */
  readonly match: string | null | undefined;
}

const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
type Mechanism = (typeof mechanisms)[number];

function isMechanism(key: string): key is Mechanism {
  return (mechanisms as readonly string[]).includes(key);
}

export async function describeEntities(context: Context, admin: Admin, entities: readonly Entity[]): Promise<number> {
  const rows: Record<string, unknown>[] = [];
  const components = entities.map(({ type, match }) => ({
    entityType: type,
    ...(match !== undefined && { match }),
  }));
  // For a user, Kafka's tool also shows the entries of that user with each client. For a client it does not show those with users.
  for (const { entity, values } of await admin.describeClientQuotas({ components })) {
    for (const [name, value] of Object.entries(values)) rows.push({ entity: entityText(entity), name, value });
  }
  const user = entities.length === 1 && entities[0]!.type === 'user' ? entities[0]! : null;
  if (user !== null && user.match !== null) append(rows, await scramRows(admin, user.match));
  await context.rows(
    [
      { key: 'entity', title: 'ENTITY' },
      { key: 'name', title: 'NAME' },
      { key: 'value', title: 'VALUE' },
    ],
    rows,
  );
  return exitCodes.success;
}

async function scramRows(admin: Admin, user: string | undefined): Promise<Record<string, unknown>[]> {
  const results = await admin.describeUserScramCredentials(user === undefined ? null : [user]);
  const rows: Record<string, unknown>[] = [];
  for (const [name, outcome] of results) {
    if (outcome.ok) {
      for (const { mechanism, iterations } of outcome.value)
        rows.push({ entity: entityText({ user: name }), name: String(mechanism), value: `iterations=${iterations}` });
    } else if ((outcome.error as { errorName?: string }).errorName !== 'RESOURCE_NOT_FOUND') throw outcome.error;
  }
  return rows;
}

function entityText(entity: Readonly<Partial<Record<string, string | null>>>): string {
  return Object.entries(entity)
    .map(([type, name]) => `${type} ${name ?? '(default)'}`)
    .join(', ');
}

export async function alterEntities(
  context: Context,
  admin: Admin,
  entities: readonly Entity[],
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Promise<number> {
  const entity: Record<string, string | null> = {};
  for (const { type, match } of entities) {
    if (match === undefined) throw new UsageError('--alter needs --entity-name or --entity-default');
    entity[type] = match;
  }
  const alterations = scramAlterations(entities, added, deleted);
  const values: Record<string, number | null> = {};
  for (const [key, value] of added) {
    if (isMechanism(key)) continue;
    if (value.trim() === '' || !Number.isFinite(Number(value))) throw new UsageError(`${key} must be a number`);
    values[key] = Number(value);
  }
  for (const key of deleted) if (!isMechanism(key)) values[key] = null;
  let exitCode: number = exitCodes.success;
  if (alterations.length > 0) {
    const results = await admin.alterUserScramCredentials(alterations);
    exitCode = reportOutcomes(context, 'changed credentials of user', results);
  }
  if (Object.keys(values).length > 0) {
    const results = await admin.alterClientQuotas([{ entity, values }]);
    const code = reportOutcomes(context, 'changed quotas of', results, { nameOf: entityText });
    if (code !== exitCodes.success) exitCode = code;
  }
  return exitCode;
}

function scramAlterations(
  entities: readonly Entity[],
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): ScramAlteration[] {
  const chosen = [...added.keys(), ...deleted].filter(isMechanism);
  if (chosen.length === 0) return [];
  const [user, ...others] = entities;
  if (user?.type !== 'user' || typeof user.match !== 'string' || others.length > 0)
    throw new UsageError('SCRAM credentials belong to a user: --entity-type users --entity-name NAME');
  const name = user.match;
  const removals = deleted.filter(isMechanism).map((mechanism) => ({ user: name, mechanism, delete: true }) as const);
  const changes = [...added].flatMap(([mechanism, text]) => {
    if (!isMechanism(mechanism)) return [];
    const parts = splitConfigs([text]);
    const password = parts.get('password');
    if (password === undefined || password === '')
      throw new UsageError(`${mechanism} must be [password=...] or [iterations=8192,password=...]`);
    const iterations = parts.get('iterations');
    if (iterations === undefined) return [{ user: name, mechanism, password }];
    if (!/^\d{1,9}$/.test(iterations)) throw new UsageError(`${mechanism}: iterations must be an integer`);
    return [{ user: name, mechanism, password, iterations: Number(iterations) }];
  });
  return [...removals, ...changes];
}
