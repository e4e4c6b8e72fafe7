// Owns the interface between the network thread and a role, such as a producer or a consumer. `poll` of a role is
// called in each round, and the role sees the cluster and its brokers through two narrow interfaces. Types only.
// Network thread.

import type { BrokerRequests } from './broker-requests.ts';
import type { ClusterView } from './cluster-view.ts';

/**
 * What a role throws, in whichever function and in whatever it has given to others to call (how its requests end, what the codec pool
 * has made), ends that role alone: it is not called any more, except for `fail`.
 */
export interface Role {
  /**
   * Called once in each round, after everything that arrived was delivered and before the thread sleeps. A round
   * follows every response, every connection that became ready or ended, every metadata update, and every call of
   * `wake`. When the time of `nextDeadline` has passed, it is called after everything was read that had arrived by then.
   */
  poll(now: number): void;
  /**
   * The thread was stopped or busy for so many ms, and probably applications were too: what they, or brokers, did not do meanwhile must not
   * be held against them. `poll` follows when everything that has come was read.
   */
  wasLate?(lateMs: number, now: number): void;
  /** The role has thrown this. Whoever uses the role must be told, and what it holds be given back. Must not use what may be broken, nor throw. */
  fail?(error: Error, now: number): void;
  /**
   * Whether there is work for the role in shared memory; called before the thread sleeps. A role without this method
   * never has such work.
   */
  hasWork?(): boolean;
  /** When `poll` has to be called if nothing happens before, ms on the monotonic clock; Infinity for never. */
  nextDeadline(now: number): number;
  /**
   * For how long the thread may doze instead of sleep, ms. While it dozes, `notify` wakes it, but `nudge` does not
   * (ring/doorbell.ts), and a round follows at the end of this time. For a role whose application will probably give
   * it more work soon; default 0: the thread sleeps.
   */
  readonly dozeMs?: number;
}

/** What a role gets from the network thread. */
export interface RoleHost {
  readonly requests: BrokerRequests;
  readonly cluster: ClusterView;
  /** Asks for a round; it may be called any number of times. */
  wake(): void;
  /** 0 to 1. */
  random(): number;
  /** ms since the epoch; only for timestamps of records and of metrics. */
  wallClock(): number;
}
