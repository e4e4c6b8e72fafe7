// Owns the types of the offsets that a transaction commits. They cross from an application thread. Every thread. Types only.

/** The group and its member. With member and epoch, the group can refuse the offsets of a consumer that has lost its partitions (KIP-447). */
export interface GroupIdentity {
  readonly groupId: string;
  /** The generation of a classic group, or the member's epoch (KIP-848). Default -1: not checked. */
  readonly generationIdOrMemberEpoch?: number;
  /** Default '': not checked. */
  readonly memberId?: string;
  /** The id of a static member. */
  readonly groupInstanceId?: string | null;
}

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the next record to read, an int64 in decimal. */
  readonly offset: string;
  /** The leader epoch of the last record read. Default -1: unknown. */
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
}

export interface TransactionOffsets {
  readonly group: GroupIdentity;
  readonly offsets: readonly OffsetToCommit[];
}
