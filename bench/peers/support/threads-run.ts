// Owns the shape of one run of the threads benchmark, and of what its threads are told and tell. Any thread. Types and names only.

import type { ClientHandle, ProducerHandle } from '../../../src/index.ts';
import type { Place } from './peer.ts';

/**
 * `attached`: all threads on one network thread, with a producer each. `attached, one producer`: with one producer that they share.
 * `attached, own`: the first with connections of their own. `this client`: one of ours for each thread. `no client`: the threads compute, and
 * produce nothing.
 */
export const threadsClients = [
  'attached',
  'attached, one producer',
  'attached, own',
  ...(['this client', '@platformatic/kafka', 'kafkajs'] as const),
  'no client',
] as const;
export type ThreadsClient = (typeof threadsClients)[number];

export interface ThreadsRun extends Place {
  readonly client: ThreadsClient;
  readonly valueBytes: number;
  readonly threads: number;
  /** Of all threads together, at least: each thread gives whole chunks of its client. */
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
  /** The rings of one more attached thread: its client's and its producer's. 0 for other clients. */
  readonly ringMiB: number;
  /** Until a thread's client was there, the median over the threads. */
  readonly openMs: number;
}

export interface ThreadData {
  readonly client: ThreadsClient;
  readonly place: Place;
  readonly valueBytes: number;
  /** For those that attach: to the client, or to the producer. */
  readonly handle: ClientHandle | ProducerHandle | null;
  /** Of this thread, at least. */
  readonly records: number;
  readonly workPerRecord: number;
}

/** What a thread tells: how long it took to open its client, then after each order how many records it has produced for it. */
export interface ThreadTold {
  readonly openMs: number;
  readonly records: number;
}

export type ThreadOrder = 'warm-up' | 'run' | 'rest' | 'end';

export function isAttached(client: ThreadsClient): client is 'attached' | 'attached, one producer' | 'attached, own' {
  return client.startsWith('attached');
}
