// Owns the shape of offsets that are committed within a transaction, as they cross from an application thread. Every thread. Types only.

/** Whose offsets these are: without member and epoch the group cannot refuse those of a consumer that it has moved on from (KIP-447). */
export interface GroupIdentity {
  readonly groupId: string;
  /** Generation of a classic group, or the member's epoch (KIP-848); default -1: not checked. */
  readonly generationIdOrMemberEpoch?: number;
  /** Default '': not checked. */
  readonly memberId?: string;
  /** Of a static member. */
  readonly groupInstanceId?: string | null;
}

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  /** int64 in decimal: of the next record to read. */
  readonly offset: string;
  /** Leader epoch of the last record read; default -1: unknown. */
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
}

export interface TransactionOffsets {
  readonly group: GroupIdentity;
  readonly offsets: readonly OffsetToCommit[];
}
