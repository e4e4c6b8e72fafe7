// Owns the check of how long a call may wait. Application thread.

import { IllegalArgumentError } from '../../common/errors/errors.ts';
import { maxTimerMs } from '../../common/numbers.ts';
import { shown } from '../../common/text.ts';

/** In ms, 0 or more; Infinity for no limit. Throws IllegalArgumentError for anything else: NaN would wait for ever. */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs) || timeoutMs < 0)
    throw new IllegalArgumentError(`timeoutMs must be 0 or more, not ${shown(timeoutMs)}`);
  return timeoutMs;
}

/** Like `setTimeout`, which fires at once when the time is longer than a timer can be; no timer for Infinity. */
export function startTimer(run: () => void, ms: number): NodeJS.Timeout | undefined {
  return ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(run, Math.min(ms, maxTimerMs));
}
