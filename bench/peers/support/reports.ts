// Owns what a contender tells the benchmark while it runs, and the clock both read. Every thread of both processes. Lines of
// JSON on a pipe: any thread may write one at any time, without a turn of its event loop.

import { writeSync } from 'node:fs';

/** The pipe's number in the contender. */
export const reportFd = 3;

export type Report =
  /** A TCP connection was begun. */
  | { readonly kind: 'connect'; readonly atMs: number }
  /** Ready for work. */
  | { readonly kind: 'started'; readonly version: string; readonly settings: string }
  /** A record was acknowledged. */
  | { readonly kind: 'produced'; readonly atMs: number }
  /** The client gave up a record. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly error: string };

/** Monotonic, one for all processes of a machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** From a contender. */
export function report(what: Report): void {
  writeSync(reportFd, `${JSON.stringify(what)}\n`);
}
