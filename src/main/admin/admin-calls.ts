// Owns what every administration call needs: its way to the network thread and its time limit. Application thread.

import Long from 'long';
import type { AdminCallName, AdminCalls as Calls } from '../../common/admin/calls.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import { withLongs } from './results.ts';

export interface AdminOptions {
  /** Limit of each call with its retries, ms; a call may set its own. Default 60000. */
  readonly timeoutMs?: number | undefined;
}

export interface ChangeCallOptions extends AdminCallOptions {
  /** Only check the request, and change nothing; default false. */
  readonly validateOnly?: boolean | undefined;
  /** Wait while the controller's quota is exceeded (KIP-599); default true. */
  readonly retryOnQuotaViolation?: boolean | undefined;
}

/** Runs a call in the network thread. Rejects with the call's error, or when the client is closed. */
export type RunAdminCall = <Name extends AdminCallName>(
  name: Name,
  args: Calls[Name]['args'],
  timeoutMs: number,
) => Promise<Calls[Name]['answer']>;

const defaultTimeoutMs = 60_000;

/** The class that the others add their calls to. */
export class AdminCalls {
  readonly #run: RunAdminCall;
  readonly #timeoutMs: number;

  /** Internal: clients make them. */
  constructor(run: RunAdminCall, { timeoutMs = defaultTimeoutMs }: AdminOptions = {}) {
    this.#run = run;
    this.#timeoutMs = checkTimeout(timeoutMs);
  }

  protected async call<Name extends AdminCallName>(
    name: Name,
    args: Calls[Name]['args'],
    timeoutMs: number = this.#timeoutMs,
  ): Promise<Calls[Name]['answer']> {
    return withLongs(await this.#run(name, args, checkTimeout(timeoutMs)));
  }
}

/** A Long would lose its class on the way between threads. */
export function cloneable(value: Long | number | bigint): number | bigint {
  return Long.isLong(value) ? value.toBigInt() : value;
}

function checkTimeout(timeoutMs: number): number {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 0) return timeoutMs;
  throw new TypeError(`timeoutMs must be a number of milliseconds from 0 on, not ${String(timeoutMs)}`);
}
