// Owns what every administration call needs: the call to the network thread and the time limit. Application thread.

import Long from 'long';
import type { AdminCallName, AdminCalls as Calls } from '../../common/admin/calls.ts';
import type { AdminCallOptions } from '../../common/admin/outcome.ts';
import { checkOptions } from '../../common/options.ts';
import { shown } from '../../common/text.ts';
import { withLongs } from './results.ts';

export interface AdminOptions {
  /** Limit of each call with its retries, in ms. A call may set its own limit. Default 60000. */
  readonly timeoutMs?: number | undefined;
}

export interface ChangeCallOptions extends AdminCallOptions {
  /** Whether to only check the request and change nothing. Default false. */
  readonly validateOnly?: boolean | undefined;
  /** Whether to wait while the controller's quota is exceeded (KIP-599). Default true. */
  readonly retryOnQuotaViolation?: boolean | undefined;
}

/** Runs a call in the network thread. Rejects with the call's error, when the client is closed, and when the signal is aborted. */
export type RunAdminCall = <Name extends AdminCallName>(
  name: Name,
  args: Calls[Name]['args'],
  timeoutMs: number,
  signal: AbortSignal | undefined,
) => Promise<Calls[Name]['answer']>;

const defaultTimeoutMs = 60_000;

/** The base class. The other classes add their calls to it. */
export class AdminCalls {
  readonly #run: RunAdminCall;
  readonly #timeoutMs: number;

  /** Internal: only the client calls this. */
  constructor(run: RunAdminCall, options: AdminOptions = {}) {
    const { timeoutMs = defaultTimeoutMs } = checkOptions('admin', options, ['timeoutMs']);
    this.#run = run;
    this.#timeoutMs = checkTimeout(timeoutMs);
  }

  protected async call<Name extends AdminCallName>(
    name: Name,
    args: Calls[Name]['args'],
    { timeoutMs = this.#timeoutMs, signal }: AdminCallOptions,
  ): Promise<Calls[Name]['answer']> {
    return withLongs(await this.#run(name, args, checkTimeout(timeoutMs), signal));
  }
}

/** Converts a Long, which would lose its class between threads. */
export function cloneable(value: Long | number | bigint): number | bigint {
  return Long.isLong(value) ? value.toBigInt() : value;
}

/** The options that the call has of its own. */
export function ownOptions<T extends AdminCallOptions>({
  timeoutMs: _,
  signal: __,
  ...own
}: T): Omit<T, 'timeoutMs' | 'signal'> {
  return own;
}

function checkTimeout(timeoutMs: number): number {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 0) return timeoutMs;
  throw new TypeError(`timeoutMs must be a number of milliseconds, at least 0, not ${shown(timeoutMs)}`);
}
