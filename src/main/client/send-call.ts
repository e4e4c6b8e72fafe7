// Owns the shape of how one request is sent. Application thread. Types only.

import type { CallPlace } from '../link/call-place.ts';

/** How one request is sent; arguments have been checked. */
export interface SendCall {
  /** -1: the highest that both know. */
  readonly version: number;
  /** -1: `requestTimeoutMs`. */
  readonly timeoutMs: number;
  readonly lane: string;
  readonly signal: AbortSignal | null;
  /** Where the application made the call. */
  readonly place: CallPlace | null;
}
