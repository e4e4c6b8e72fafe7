// Owns administration calls about client quotas. Network thread. Source: KIP-546

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { ClientQuota, QuotaEntity } from '../../../common/admin/security.ts';
import { AlterClientQuotas, DescribeClientQuotas } from '../../../protocol/flat/generated/apis.ts';
import { type Call, someBroker } from '../call.ts';
import { askForItems } from '../items.ts';
import { atAnyBroker } from '../routes.ts';
import { askOnce } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];
type Alteration = Args<'alterClientQuotas'>['alterations'][number];

/** The numbers on the wire for how a part of an entity is matched. */
const matchExact = 0;
const matchDefault = 1;
const matchAny = 2;

export async function describeClientQuotas(
  call: Call,
  { filter }: Args<'describeClientQuotas'>,
): Promise<readonly ClientQuota[]> {
  const components = filter.components.map(({ entityType, match }) => ({
    entityType,
    matchType: match === undefined ? matchAny : match === null ? matchDefault : matchExact,
    match: match ?? null,
  }));
  const response = await askOnce(call, 'any', async () => {
    const request = { components, strict: filter.strict === true };
    const { response: answer } = await call.send(someBroker, DescribeClientQuotas, request);
    return { code: answer.errorCode, message: answer.errorMessage, answer };
  });
  return [...(response.entries ?? [])].map(({ entity, values }) => ({
    entity: entityOf(entity),
    values: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }));
}

export async function alterClientQuotas(
  call: Call,
  { alterations, validateOnly }: Args<'alterClientQuotas'>,
): Promise<PlainResults<QuotaEntity, null>> {
  const results = await askForItems<Alteration, null>(call, alterations, {
    target: 'any',
    isChange: !validateOnly,
    locate: atAnyBroker,
    ask: async (to, keys) => {
      const entries = keys.map(({ entity, values }) => ({
        entity: Object.entries(entity).map(([entityType, name]) => ({ entityType, entityName: name ?? null })),
        ops: Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
      }));
      const { response } = await call.send(to, AlterClientQuotas, { entries, validateOnly });
      const byName = new Map(keys.map((key) => [nameOf(key.entity), key]));
      const answers = new Map();
      for (const { entity, errorCode, errorMessage } of response.entries) {
        const key = byName.get(nameOf(entityOf(entity)));
        if (key !== undefined) answers.set(key, errorCode === 0 ? { value: null } : { errorCode, errorMessage });
      }
      return answers;
    },
  });
  return results.map(([{ entity }, outcome]) => [entity, outcome] as const);
}

function entityOf(parts: Iterable<{ readonly entityType: string; readonly entityName: string | null }>): QuotaEntity {
  // An assignment to a property named __proto__ would set no property.
  return Object.fromEntries([...parts].map(({ entityType, entityName }) => [entityType, entityName]));
}

/** A name of the entity that does not depend on the order of its parts. */
function nameOf(entity: QuotaEntity): string {
  return JSON.stringify(Object.entries(entity).sort(([a], [b]) => (a < b ? -1 : 1)));
}
