// Owns the calls about rights, quotas and users as applications make them. Application thread.

import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type {
  AclBinding,
  AclFilter,
  ClientQuota,
  QuotaAlteration,
  QuotaEntity,
  QuotaFilter,
  ScramAlteration,
  ScramCredential,
} from '../../common/admin/security.ts';
import { GroupCalls } from './group-calls.ts';
import { type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';

export class SecurityCalls extends GroupCalls {
  /** Access control lists that match the filter (KIP-140, KIP-290). Rejects with SECURITY_DISABLED where brokers have no authorizer. */
  describeAcls(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<readonly AclBinding[]> {
    return this.call('describeAcls', { filter }, options.timeoutMs);
  }

  async createAcls(acls: readonly AclBinding[], options: AdminCallOptions = {}): Promise<Results<AclBinding, null>> {
    return resultsFor(acls, await this.call('createAcls', { acls }, options.timeoutMs));
  }

  /** Values: the lists that a filter matched, each with the outcome of its own deletion. */
  async deleteAcls(
    filters: readonly AclFilter[],
    options: AdminCallOptions = {},
  ): Promise<Results<AclFilter, Map<AclBinding, Outcome<null>>>> {
    const plain = await this.call('deleteAcls', { filters }, options.timeoutMs);
    const mapped = plain.map(([filter, outcome]) => {
      if (!outcome.ok) return [filter, outcome] as const;
      const deleted = new Map(outcome.value.map(([binding, one]) => [binding, outcomeOf(one)] as const));
      return [filter, { ok: true, value: deleted }] as const;
    });
    return resultsFor(filters, mapped);
  }

  /** Quotas by entity (KIP-546). */
  describeClientQuotas(
    filter: QuotaFilter = { components: [] },
    options: AdminCallOptions = {},
  ): Promise<readonly ClientQuota[]> {
    return this.call('describeClientQuotas', { filter }, options.timeoutMs);
  }

  async alterClientQuotas(
    alterations: readonly QuotaAlteration[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<QuotaEntity, null>> {
    const { validateOnly = false, timeoutMs } = options;
    const plain = await this.call('alterClientQuotas', { alterations, validateOnly }, timeoutMs);
    return resultsFor(
      alterations.map(({ entity }) => entity),
      plain,
    );
  }

  /** Mechanisms of users, never passwords (KIP-554). @param users default: all that have any */
  async describeUserScramCredentials(
    users: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Results<string, readonly ScramCredential[]>> {
    return resultsOf(await this.call('describeUserScramCredentials', { users }, options.timeoutMs));
  }

  /** Sets or deletes passwords. They are salted and hashed in the network thread; brokers never see them. Outcomes by user. */
  async alterUserScramCredentials(
    alterations: readonly ScramAlteration[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, null>> {
    return resultsOf(await this.call('alterUserScramCredentials', { alterations }, options.timeoutMs));
  }
}
