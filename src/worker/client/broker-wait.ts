// Owns how long a broker is told to wait for others before it answers: for replicas, for the controller, for remote storage. Network
// thread.

/** How much earlier than the limit of the request the broker shall answer: this part of the limit, and no more than so many ms. */
const aheadShare = 0.1;
const maxAheadMs = 1000;

/**
 * What goes into a request with this limit, in ms. It is less: the broker then still says what became of each item, and the connection,
 * on which others have requests behind this one, does not end.
 */
export function brokerWaitMs(timeoutMs: number): number {
  return Math.max(1, Math.floor(timeoutMs - Math.min(maxAheadMs, timeoutMs * aheadShare)));
}
