// Owns the shapes of administration calls about who may do what, and how much. Types only. Every thread.

import type Long from 'long';

/** Source: KIP-11, KIP-290, KIP-986. `any` is for filters. */
export type AclResourceType = 'any' | 'topic' | 'group' | 'cluster' | 'transactionalId' | 'delegationToken' | 'user';
/** `match` is for filters: what would match the name, literally, by prefix or by wildcard. */
export type AclPatternType = 'any' | 'match' | 'literal' | 'prefixed';
export type AclOperation =
  | 'any'
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'clusterAction'
  | 'describeConfigs'
  | 'alterConfigs'
  | 'idempotentWrite'
  | 'createTokens'
  | 'describeTokens'
  | 'twoPhaseCommit';
export type AclPermission = 'any' | 'deny' | 'allow';

export interface AclBinding {
  /** A number where this client does not know the type. */
  readonly resourceType: AclResourceType | number;
  /** `*` stands for all of a type, with pattern type literal. */
  readonly resourceName: string;
  readonly patternType: AclPatternType | number;
  /** Such as `User:alice`. */
  readonly principal: string;
  /** `*` stands for all. */
  readonly host: string;
  readonly operation: AclOperation | number;
  readonly permission: AclPermission | number;
}

/** What is left out matches everything. */
export type AclFilter = Partial<AclBinding>;

/** Part of a quota's entity; null is the default of that kind. Source: KIP-546 */
export type QuotaEntity = Readonly<Partial<Record<'user' | 'client-id' | 'ip', string | null>>>;

/** A part that is left out matches nothing but entities without it, if `strict`. */
export interface QuotaFilter {
  readonly components: readonly {
    readonly entityType: 'user' | 'client-id' | 'ip';
    /** A name, null for the default, undefined for any. */
    readonly match?: string | null;
  }[];
  /** Only entities that have no other parts; default false. */
  readonly strict?: boolean;
}

export interface ClientQuota {
  readonly entity: QuotaEntity;
  /** Such as `{ producer_byte_rate: 1048576 }`. */
  readonly values: Readonly<Record<string, number>>;
}

export interface QuotaAlteration {
  readonly entity: QuotaEntity;
  /** Null removes a value. */
  readonly values: Readonly<Record<string, number | null>>;
}

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export interface ScramCredential {
  readonly mechanism: ScramMechanism | number;
  readonly iterations: number;
}

/** Source: KIP-554. The password stays here: brokers get a salted hash of it. */
export type ScramAlteration =
  | {
      readonly user: string;
      readonly mechanism: ScramMechanism;
      readonly password: string;
      /** From 4096 on; default 4096. */
      readonly iterations?: number;
    }
  | { readonly user: string; readonly mechanism: ScramMechanism; readonly delete: true };

export interface DelegationToken {
  readonly tokenId: string;
  readonly hmac: Uint8Array;
  /** Such as `User:alice`. */
  readonly owner: string;
  /** Who asked for it; null where brokers do not say (before 3.3). */
  readonly requester: string | null;
  readonly renewers: readonly string[];
  readonly issueTimestampMs: Long;
  readonly expiryTimestampMs: Long;
  readonly maxTimestampMs: Long;
}
