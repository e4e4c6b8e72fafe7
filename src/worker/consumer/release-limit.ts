// Owns how long a member may take to release partitions, so that its group does not give up on it. Network thread.

/** The part of the rebalance timeout that must be left after a release of partitions. */
const releaseMargin = 0.1;
const maxReleaseMarginMs = 5000;

/** How long a release of partitions may take, so that the group is told before the rebalance timeout. */
export function releaseLimitMs(rebalanceTimeoutMs: number): number {
  return rebalanceTimeoutMs - Math.min(rebalanceTimeoutMs * releaseMargin, maxReleaseMarginMs);
}
