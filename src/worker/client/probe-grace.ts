// Owns the time that a peer gets after this side did not read from it. Network thread.

/** The longest pause between two tries of a sender whose peer takes nothing: Linux (TCP_RTO_MAX). */
const maxProbePauseMs = 120_000;

/**
 * For how long a peer may still be silent after this side did not read for `unreadMs`. A sender that finds the window closed tries again
 * after pauses that double (RFC 9293, section 3.8.6.1). The news of an open window may be lost, and then the peer sends nothing until its
 * next try, which is due after as much time again at most.
 */
export function probeGraceMs(unreadMs: number): number {
  return Math.min(unreadMs, maxProbePauseMs);
}
