// Owns the names of the states of a membership, in both protocols. Types only. Network thread.

/** In the protocol of KIP-848. */
export type MemberState =
  | 'UNSUBSCRIBED'
  | 'JOINING'
  | 'RECONCILING'
  | 'ACKNOWLEDGING'
  | 'STABLE'
  | 'FENCED'
  | 'PREPARE_LEAVING'
  | 'LEAVING'
  | 'STALE'
  | 'FATAL';

/** In the classic protocol. */
export type ClassicState = 'UNJOINED' | 'PREPARING_REBALANCE' | 'COMPLETING_REBALANCE' | 'STABLE' | 'LEFT' | 'FATAL';

/** The steps of a join, in order: release partitions, send JoinGroup, assign as the leader, send SyncGroup. */
export type JoinStep = 'none' | 'release' | 'send' | 'sent' | 'assign' | 'syncing';
