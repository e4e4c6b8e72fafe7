// Owns the shape of one run of the threads benchmark, and of what its threads are told and tell. Any thread. Types and names only.

import type { ClientHandle } from '../../../src/index.ts';
import type { BulkPlace } from './bulk-producers.ts';

/**
 * `attached`: all threads on one network thread. `attached, own`: the same with connections of their own. `this client`: one of ours for each
 * thread. `no client`: the threads compute, and produce nothing.
 */
export const threadsClients = [
  'attached',
  'attached, own',
  ...(['this client', '@platformatic/kafka', 'kafkajs'] as const),
  'no client',
] as const;
export type ThreadsClient = (typeof threadsClients)[number];

export interface ThreadsRun extends BulkPlace {
  readonly client: ThreadsClient;
  readonly threads: number;
  /** Of all threads together, about: each thread gives whole calls of the peers. */
  readonly records: number;
  /** Steps of the loop that each record costs its thread. */
  readonly workPerRecord: number;
}

export interface ThreadsResult {
  readonly recordsPerSecond: number;
  /** To the broker, with all threads at work. */
  readonly connections: number;
  /** Of the process, after a garbage collection in every thread, clients and threads still open. */
  readonly rssMiB: number;
  /** All threads of the process. */
  readonly cpuMicrosecondsPerRecord: number;
  /** The rings of one attached thread: its client's and its producer's. 0 for other clients. */
  readonly ringMiB: number;
  /** Until a thread's client was there, the median over the threads. */
  readonly openMs: number;
}

export interface ThreadData {
  readonly client: ThreadsClient;
  readonly place: BulkPlace;
  /** For `attached`. */
  readonly handle: ClientHandle | null;
  readonly records: number;
  readonly workPerRecord: number;
}

export type ThreadOrder = 'warm-up' | 'run' | 'rest' | 'end';

export function isAttached(client: ThreadsClient): client is 'attached' | 'attached, own' {
  return client === 'attached' || client === 'attached, own';
}
