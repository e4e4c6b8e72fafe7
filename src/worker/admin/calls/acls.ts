// Owns administration calls about access control lists. Network thread. Source: KIP-140, KIP-290

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainOutcome, PlainResults } from '../../../common/admin/outcome.ts';
import type {
  AclBinding,
  AclFilter,
  AclOperation,
  AclPatternType,
  AclPermission,
  AclResourceType,
} from '../../../common/admin/security.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { toPlainError } from '../../../common/errors/plain-error.ts';
import { CreateAcls, DeleteAcls, DescribeAcls } from '../../../protocol/flat/generated/apis.ts';
import { type Call, someBroker } from '../call.ts';
import { answerOf, askForItems } from '../items.ts';
import { codesOf } from '../named-codes.ts';
import { atAnyBroker } from '../routes.ts';
import { askOnce } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

const resourceTypes = codesOf<AclResourceType>({
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
});
const patternTypes = codesOf<AclPatternType>({ any: 1, match: 2, literal: 3, prefixed: 4 });
const operations = codesOf<AclOperation>({
  any: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
});
const permissions = codesOf<AclPermission>({ any: 1, deny: 2, allow: 3 });

export async function describeAcls(call: Call, { filter }: Args<'describeAcls'>): Promise<readonly AclBinding[]> {
  const response = await askOnce(call, 'any', async () => {
    const { response: answer } = await call.send(someBroker, DescribeAcls, filterOf(filter));
    return { code: answer.errorCode, message: answer.errorMessage, answer };
  });
  const bindings: AclBinding[] = [];
  for (const { resourceType, resourceName, patternType, acls } of response.resources) {
    for (const acl of acls) bindings.push(bindingOf({ resourceType, resourceName, patternType, ...partsOf(acl) }));
  }
  return bindings;
}

export function createAcls(call: Call, { acls }: Args<'createAcls'>): Promise<PlainResults<AclBinding, null>> {
  return askForItems<AclBinding, null>(call, acls, {
    target: 'any',
    isChange: true,
    locate: atAnyBroker,
    ask: async (to, keys) => {
      const creations = keys.map((acl) => ({
        resourceType: resourceTypes.code(acl.resourceType),
        resourceName: acl.resourceName,
        resourcePatternType: patternTypes.code(acl.patternType),
        principal: acl.principal,
        host: acl.host,
        operation: operations.code(acl.operation),
        permissionType: permissions.code(acl.permission),
      }));
      const { response } = await call.send(to, CreateAcls, { creations });
      // The results have no names. They are in the order of the request.
      return new Map(response.results.map((result, i) => [keys[i]!, answerOf(result, () => null)]));
    },
  });
}

type Deleted = readonly (readonly [AclBinding, PlainOutcome<null>])[];

export function deleteAcls(call: Call, { filters }: Args<'deleteAcls'>): Promise<PlainResults<AclFilter, Deleted>> {
  return askForItems<AclFilter, Deleted>(call, filters, {
    target: 'any',
    isChange: true,
    locate: atAnyBroker,
    ask: async (to, keys) => {
      const { response } = await call.send(to, DeleteAcls, { filters: keys.map(filterOf) });
      return new Map(
        response.filterResults.map((result, i) => {
          const readDeleted = (): Deleted =>
            result.matchingAcls.map((acl) => {
              const { resourceType, resourceName, patternType } = acl;
              const binding = bindingOf({ resourceType, resourceName, patternType, ...partsOf(acl) });
              return [binding, deletionOf(acl.errorCode)] as const;
            });
          return [keys[i]!, answerOf(result, readDeleted)];
        }),
      );
    },
  });
}

function deletionOf(errorCode: number): PlainOutcome<null> {
  const error = errorFor(errorCode);
  if (error === null) return { ok: true, value: null };
  return { ok: false, error: toPlainError(error), maybeApplied: false };
}

function filterOf(filter: AclFilter) {
  return {
    resourceTypeFilter: resourceTypes.code(filter.resourceType ?? 'any'),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: patternTypes.code(filter.patternType ?? 'any'),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: operations.code(filter.operation ?? 'any'),
    permissionType: permissions.code(filter.permission ?? 'any'),
  };
}

interface AclParts {
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

function partsOf({ principal, host, operation, permissionType }: AclParts): AclParts {
  return { principal, host, operation, permissionType };
}

interface NumberedAcl extends AclParts {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
}

function bindingOf(acl: NumberedAcl): AclBinding {
  return {
    resourceType: resourceTypes.name(acl.resourceType),
    resourceName: acl.resourceName,
    patternType: patternTypes.name(acl.patternType),
    principal: acl.principal,
    host: acl.host,
    operation: operations.name(acl.operation),
    permission: permissions.name(acl.permissionType),
  };
}
