// Owns what a role is to the network thread: a producer or a consumer, which gets a turn in each round and sees the cluster
// and its brokers through two narrow interfaces. Types only. Network thread.

import type { BrokerRequests } from './broker-requests.ts';
import type { ClusterView } from './cluster-view.ts';

export interface Role {
  /**
   * The role's turn: called once in each round, after what arrived was delivered and before the thread sleeps. A round follows
   * every response, every connection that became ready or ended, every metadata update, and every call of `wake`.
   */
  poll(now: number): void;
  /** Whether there is something for the role in shared memory; looked at before the thread sleeps. Left out: never. */
  hasWork?(): boolean;
  /** When the role wants its turn although nothing happens, ms on the monotonic clock; Infinity for never. */
  nextDeadline(now: number): number;
  /**
   * For how long the thread may doze instead of sleep, ms: until then only `notify` wakes it, not `nudge` (ring/doorbell.ts), and
   * a round comes at the end. For a role whose application is likely to give it more soon; default 0: the thread sleeps.
   */
  readonly dozeMs?: number;
}

/** What a role is given. */
export interface RoleHost {
  readonly requests: BrokerRequests;
  readonly cluster: ClusterView;
  /** Asks for a round, as often as anybody likes. */
  wake(): void;
  /** 0 to 1. */
  random(): number;
  /** ms since the epoch; only for what is written into records. */
  wallClock(): number;
}
