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
import { check, checkCall, checkEach, checkItem, checkItems, fieldsOf } from './admin-arguments.ts';
import { cloneable } from './admin-calls.ts';
import { type Outcome, outcomeOf, type Results, resultsFor, resultsOf } from './results.ts';
import { ShareCalls } from './share-calls.ts';

export class SecurityCalls extends ShareCalls {
  /** The ACLs that match the filter (KIP-140, KIP-290). Rejects with SECURITY_DISABLED if brokers have no authorizer. */
  async describeAcls(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<readonly AclBinding[]> {
    checkCall('describeAcls', options);
    checkItem('describeAcls', 'filter', filter, fieldsOf.aclFilter);
    return this.call('describeAcls', { filter }, options);
  }

  async createAcls(acls: readonly AclBinding[], options: AdminCallOptions = {}): Promise<Results<AclBinding, null>> {
    checkCall('createAcls', options);
    checkItems('createAcls', 'acls', acls, fieldsOf.acl);
    return resultsFor(acls, await this.call('createAcls', { acls }, options));
  }

  /** Deletes the ACLs that match the filters. The value of a filter has its ACLs, each with the outcome of its deletion. */
  async deleteAcls(
    filters: readonly AclFilter[],
    options: AdminCallOptions = {},
  ): Promise<Results<AclFilter, Map<AclBinding, Outcome<null>>>> {
    checkCall('deleteAcls', options);
    checkItems('deleteAcls', 'filters', filters, fieldsOf.aclFilter);
    const plain = await this.call('deleteAcls', { filters }, options);
    const mapped = plain.map(([filter, outcome]) => {
      if (!outcome.ok) return [filter, outcome] as const;
      const deleted = new Map(outcome.value.map(([binding, one]) => [binding, outcomeOf(one)] as const));
      return [filter, { ok: true, value: deleted }] as const;
    });
    return resultsFor(filters, mapped);
  }

  /** The quotas by entity (KIP-546). */
  async describeClientQuotas(
    filter: QuotaFilter = { components: [] },
    options: AdminCallOptions = {},
  ): Promise<readonly ClientQuota[]> {
    checkCall('describeClientQuotas', options);
    checkItem('describeClientQuotas', 'filter', filter, fieldsOf.quotaFilter);
    checkItems('describeClientQuotas', 'filter.components', filter.components, fieldsOf.quotaComponent);
    return this.call('describeClientQuotas', { filter }, options);
  }

  async alterClientQuotas(
    alterations: readonly QuotaAlteration[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<Results<QuotaEntity, null>> {
    checkCall('alterClientQuotas', options, ['validateOnly']);
    checkItems('alterClientQuotas', 'alterations', alterations, fieldsOf.quotaAlteration);
    const { validateOnly = false } = options;
    const plain = await this.call('alterClientQuotas', { alterations, validateOnly }, options);
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
    checkCall('describeUserScramCredentials', options);
    if (users !== null) checkEach('describeUserScramCredentials', 'users', users, 'text');
    return resultsOf(await this.call('describeUserScramCredentials', { users }, options));
  }

  /** Sets or deletes passwords. The network thread salts and hashes them, so brokers never see them. Outcomes are by user. */
  async alterUserScramCredentials(
    alterations: readonly ScramAlteration[],
    options: AdminCallOptions = {},
  ): Promise<Results<string, null>> {
    checkCall('alterUserScramCredentials', options);
    checkItems('alterUserScramCredentials', 'alterations', alterations, fieldsOf.scramAlteration);
    return resultsOf(await this.call('alterUserScramCredentials', { alterations }, options));
  }

  /**
   * Makes a delegation token, by which its owner logs in with SCRAM (KIP-48): user is the token id, password the HMAC in base64. Not over
   * a connection that logged in with a token itself.
   * @param options `owner`: default this user (KIP-373); `renewers`: who may renew it besides the owner; `maxLifetimeMs`: -1, the
   *   default, leaves it to the broker
   */
  async createDelegationToken(
    options: AdminCallOptions & {
      readonly owner?: string;
      readonly renewers?: readonly string[];
      readonly maxLifetimeMs?: Int64Input;
    } = {},
  ): Promise<DelegationToken> {
    checkCall('createDelegationToken', options, ['owner', 'renewers', 'maxLifetimeMs']);
    checkEach('createDelegationToken', 'renewers', options.renewers ?? [], 'text');
    const { owner = null, renewers = [], maxLifetimeMs = -1 } = options;
    const args = { owner, renewers, maxLifetimeMs: cloneable(maxLifetimeMs) };
    return this.call('createDelegationToken', args, options);
  }

  /** @param options `renewPeriodMs`: from now; -1, the default, leaves it to the broker @returns when the token ends, ms since the epoch */
  async renewDelegationToken(
    hmac: Uint8Array,
    options: AdminCallOptions & { readonly renewPeriodMs?: Int64Input } = {},
  ): Promise<Long> {
    checkCall('renewDelegationToken', options, ['renewPeriodMs']);
    check('renewDelegationToken', 'hmac', hmac, 'bytes');
    const { renewPeriodMs = -1 } = options;
    return this.call('renewDelegationToken', { hmac, renewPeriodMs: cloneable(renewPeriodMs) }, options);
  }

  /** @param options `expiryTimePeriodMs`: from now; -1, the default, means at once @returns when the token ends, ms since the epoch */
  async expireDelegationToken(
    hmac: Uint8Array,
    options: AdminCallOptions & { readonly expiryTimePeriodMs?: Int64Input } = {},
  ): Promise<Long> {
    checkCall('expireDelegationToken', options, ['expiryTimePeriodMs']);
    check('expireDelegationToken', 'hmac', hmac, 'bytes');
    const { expiryTimePeriodMs = -1 } = options;
    return this.call('expireDelegationToken', { hmac, expiryTimePeriodMs: cloneable(expiryTimePeriodMs) }, options);
  }

  /** Tokens that this user may see. @param owners such as `User:alice`; default: of all owners */
  async describeDelegationToken(
    owners: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<readonly DelegationToken[]> {
    checkCall('describeDelegationToken', options);
    if (owners !== null) checkEach('describeDelegationToken', 'owners', owners, 'text');
    return this.call('describeDelegationToken', { owners }, options);
  }
}
