// Owns the types of administration calls about ACLs, quotas, SCRAM users and delegation tokens. Types only. Every thread.

import type Long from 'long';

/** Source: KIP-11, KIP-290, KIP-986. `any` is for filters. */
export type AclResourceType = 'any' | 'topic' | 'group' | 'cluster' | 'transactionalId' | 'delegationToken' | 'user';
/** `match` is for filters: it finds every pattern that matches the name, literally, by prefix or by wildcard. */
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
  /** A number if this client does not know the type. */
  readonly resourceType: AclResourceType | number;
  /** `*`, with pattern type literal, means all resources of the type. */
  readonly resourceName: string;
  readonly patternType: AclPatternType | number;
  /** Such as `User:alice`. */
  readonly principal: string;
  /** `*` means all hosts. */
  readonly host: string;
  readonly operation: AclOperation | number;
  readonly permission: AclPermission | number;
}

/** A field that is left out matches everything. */
export type AclFilter = Partial<AclBinding>;

/** The entity of a quota. A value of null means the default entity of that kind. Source: KIP-546 */
export type QuotaEntity = Readonly<Partial<Record<'user' | 'client-id' | 'ip', string | null>>>;

/** Finds quotas by the parts of their entities. */
export interface QuotaFilter {
  readonly components: readonly {
    readonly entityType: 'user' | 'client-id' | 'ip';
    /** A name, or null for the default entity, or undefined for any. */
    readonly match?: string | null;
  }[];
  /** Whether to find only entities that have no other parts. Default false. */
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

/** The password is not sent: brokers get a salted hash of it. Source: KIP-554 */
export type ScramAlteration =
  | {
      readonly user: string;
      readonly mechanism: ScramMechanism;
      readonly password: string;
      /** At least 4096. Default 4096. */
      readonly iterations?: number;
    }
  | { readonly user: string; readonly mechanism: ScramMechanism; readonly delete: true };

export interface DelegationToken {
  readonly tokenId: string;
  readonly hmac: Uint8Array;
  /** Such as `User:alice`. */
  readonly owner: string;
  /** The principal that requested the token. Null from brokers before 3.3. */
  readonly requester: string | null;
  readonly renewers: readonly string[];
  readonly issueTimestampMs: Long;
  readonly expiryTimestampMs: Long;
  readonly maxTimestampMs: Long;
}
