// Owns what AbortSignals of the application mean here: their check, and one listener for each signal, however many wait for it.
// Application thread.

import { AbortError } from '../../common/errors/errors.ts';
import { thrownText } from '../../common/thrown.ts';

/** Who waits for which signal. A Set that is empty has no listener at its signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Null for none. Throws TypeError for anything but an AbortSignal. */
export function checkSignal(signal: AbortSignal | null | undefined): AbortSignal | null {
  if (signal === undefined || signal === null) return null;
  if (signal instanceof AbortSignal) return signal;
  const hint = isController(signal) ? ': pass `controller.signal`' : '';
  throw new TypeError(`signal must be an AbortSignal, not ${thrownText(signal)}${hint}`);
}

/**
 * Calls `listener`, which must not throw, when the signal is aborted, which it must not be yet.
 * @returns takes it back
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let listeners = waiting.get(signal);
  if (listeners === undefined) {
    listeners = new Set();
    waiting.set(signal, listeners);
  }
  // Node warns from the eleventh listener on, as if somebody had forgotten to take them back.
  if (listeners.size === 0) signal.addEventListener('abort', tellAll);
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) signal.removeEventListener('abort', tellAll);
  };
}

/** What a call that is given up fails with. @param what names it, such as `the request` */
export function abortError(what: string, signal: AbortSignal, nodeId?: number): AbortError {
  const details = { cause: signal.reason as unknown, ...(nodeId !== undefined && { nodeId }) };
  return new AbortError(`${what} was given up: its signal was aborted`, details);
}

/** The outcome of `work`, or an AbortError as soon as the signal is aborted; `work` goes on by itself then. */
export async function untilAborted<T>(what: string, signal: AbortSignal | null, work: () => Promise<T>): Promise<T> {
  if (signal === null) return work();
  if (signal.aborted) throw abortError(what, signal);
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(abortError(what, signal)));
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    stop();
  }
}

function tellAll(this: AbortSignal): void {
  const listeners = waiting.get(this);
  if (listeners === undefined) return;
  waiting.delete(this);
  this.removeEventListener('abort', tellAll);
  for (const listener of listeners) listener();
}

function isController(value: unknown): boolean {
  return value instanceof AbortController;
}
