// Owns the reports of a contender to the benchmark, and the clock that both use. Every thread of both processes. Reports are lines of JSON
// on a pipe: any thread may write one at any time, even while its event loop is blocked.

import { writeSync } from 'node:fs';

/** The pipe's file descriptor in the contender. */
export const reportFd = 3;

export type Report =
  /** A TCP connection was begun. */
  | { readonly kind: 'connect'; readonly atMs: number }
  /** The client has started. */
  | { readonly kind: 'started'; readonly version: string; readonly settings: string }
  /** A record was acknowledged. */
  | { readonly kind: 'produced'; readonly atMs: number }
  /** The client gave up a record. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly error: string };

/** A monotonic clock that all processes of a machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Sends a report. Called in a contender. */
export function report(what: Report): void {
  writeSync(reportFd, `${JSON.stringify(what)}\n`);
}
