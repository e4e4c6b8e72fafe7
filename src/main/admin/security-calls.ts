// Owns the Admin's calls about ACLs, quotas, users and delegation tokens. Application thread.

import type Long from 'long';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import type {
  AclBinding,
  AclFilter,
  ClientQuota,
  DelegationToken,
  QuotaAlteration,
  QuotaEntity,
  QuotaFilter,
  ScramAlteration,
  ScramCredential,
} from '../../common/admin/security.ts';
import type { Int64Input } from '../../common/admin/topics.ts';
import { checkOptions } from '../../common/options.ts';
import { cloneable } from './admin-calls.ts';
import { type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';
import { ShareCalls } from './share-calls.ts';

export class SecurityCalls extends ShareCalls {
  /** The ACLs that match the filter (KIP-140, KIP-290). Rejects with SECURITY_DISABLED if brokers have no authorizer. */
  describeAcls(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<readonly AclBinding[]> {
    checkOptions('describeAcls', options, ['timeoutMs']);
    return this.call('describeAcls', { filter }, options.timeoutMs);
  }

  async createAcls(acls: readonly AclBinding[], options: AdminCallOptions = {}): Promise<Results<AclBinding, null>> {
    checkOptions('createAcls', options, ['timeoutMs']);
    return resultsFor(acls, await this.call('createAcls', { acls }, options.timeoutMs));
  }

  /** Deletes the ACLs that match the filters. The value of a filter has its ACLs, each with the outcome of its deletion. */
  async deleteAcls(
    filters: readonly AclFilter[],
    options: AdminCallOptions = {},
  ): Promise<Results<AclFilter, Map<AclBinding, Outcome<null>>>> {
    checkOptions('deleteAcls', options, ['timeoutMs']);
    const plain = await this.call('deleteAcls', { filters }, options.timeoutMs);
    const mapped = plain.map(([filter, outcome]) => {
      if (!outcome.ok) return [filter, outcome] as const;
      const deleted = new Map(outcome.value.map(([binding, one]) => [binding, outcomeOf(one)] as const));
      return [filter, { ok: true, value: deleted }] as const;
    });
    return resultsFor(filters, mapped);
  }

  /** The quotas by entity (KIP-546). */
  describeClientQuotas(
    filter: QuotaFilter = { components: [] },
    options: AdminCallOptions = {},
  ): Promise<readonly ClientQuota[]> {
    checkOptions('describeClientQuotas', options, ['timeoutMs']);
    return this.call('describeClientQuotas', { filter }, options.timeoutMs);
  }

  async alterClientQuotas(
    alterations: readonly QuotaAlteration[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<QuotaEntity, null>> {
    checkOptions('alterClientQuotas', options, ['timeoutMs', 'validateOnly']);
    const { validateOnly = false, timeoutMs } = options;
    const plain = await this.call('alterClientQuotas', { alterations, validateOnly }, timeoutMs);
    return resultsFor(
      alterations.map(({ entity }) => entity),
      plain,
    );
  }

  /** The SCRAM mechanisms of users, never passwords (KIP-554). @param users default: all users with SCRAM credentials */
  async describeUserScramCredentials(
    users: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Results<string, readonly ScramCredential[]>> {
    checkOptions('describeUserScramCredentials', options, ['timeoutMs']);
    return resultsOf(await this.call('describeUserScramCredentials', { users }, options.timeoutMs));
  }

  /** Sets or deletes passwords. The network thread salts and hashes them, so brokers never see them. Outcomes are by user. */
  async alterUserScramCredentials(
    alterations: readonly ScramAlteration[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, null>> {
    checkOptions('alterUserScramCredentials', options, ['timeoutMs']);
    return resultsOf(await this.call('alterUserScramCredentials', { alterations }, options.timeoutMs));
  }

  /**
   * Makes a delegation token, by which its owner logs in with SCRAM (KIP-48): user is the token id, password the HMAC in base64. Not over
   * a connection that logged in with a token itself.
   * @param options `owner`: default this user (KIP-373); `renewers`: who may renew it besides the owner; `maxLifetimeMs`: -1, the
   *   default, leaves it to the broker
   */
  createDelegationToken(
    options: AdminCallOptions & {
      readonly owner?: string;
      readonly renewers?: readonly string[];
      readonly maxLifetimeMs?: Int64Input;
    } = {},
  ): Promise<DelegationToken> {
    checkOptions('createDelegationToken', options, ['timeoutMs', 'owner', 'renewers', 'maxLifetimeMs']);
    const { owner = null, renewers = [], maxLifetimeMs = -1, timeoutMs } = options;
    const args = { owner, renewers, maxLifetimeMs: cloneable(maxLifetimeMs) };
    return this.call('createDelegationToken', args, timeoutMs);
  }

  /** @param options `renewPeriodMs`: from now; -1, the default, leaves it to the broker @returns when the token ends, ms since the epoch */
  renewDelegationToken(
    hmac: Uint8Array,
    options: AdminCallOptions & { readonly renewPeriodMs?: Int64Input } = {},
  ): Promise<Long> {
    checkOptions('renewDelegationToken', options, ['timeoutMs', 'renewPeriodMs']);
    const { renewPeriodMs = -1, timeoutMs } = options;
    return this.call('renewDelegationToken', { hmac, renewPeriodMs: cloneable(renewPeriodMs) }, timeoutMs);
  }

  /** @param options `expiryTimePeriodMs`: from now; -1, the default, means at once @returns when the token ends, ms since the epoch */
  expireDelegationToken(
    hmac: Uint8Array,
    options: AdminCallOptions & { readonly expiryTimePeriodMs?: Int64Input } = {},
  ): Promise<Long> {
    checkOptions('expireDelegationToken', options, ['timeoutMs', 'expiryTimePeriodMs']);
    const { expiryTimePeriodMs = -1, timeoutMs } = options;
    return this.call('expireDelegationToken', { hmac, expiryTimePeriodMs: cloneable(expiryTimePeriodMs) }, timeoutMs);
  }

  /** Tokens that this user may see. @param owners such as `User:alice`; default: of all owners */
  describeDelegationToken(
    owners: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<readonly DelegationToken[]> {
    checkOptions('describeDelegationToken', options, ['timeoutMs']);
    return this.call('describeDelegationToken', { owners }, options.timeoutMs);
  }
}
