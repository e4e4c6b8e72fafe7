// Owns the use of the application's AbortSignals: their check, and one listener for each signal, however many calls wait for it.
// Application thread.

import { AbortError } from '../../common/errors/errors.ts';
import { thrownText } from '../../common/thrown.ts';
import { type Future, fail, onSettled } from './future.ts';

/** The listeners of each signal. If the Set is empty, there is no listener at the signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Null if there is no signal. Throws TypeError for anything but an AbortSignal. */
export function checkSignal(signal: AbortSignal | null | undefined): AbortSignal | null {
  if (signal === undefined || signal === null) return null;
  if (signal instanceof AbortSignal) return signal;
  const hint = isController(signal) ? ': pass `controller.signal`' : '';
  throw new TypeError(`signal must be an AbortSignal, not ${thrownText(signal)}${hint}`);
}

/**
 * Calls `listener` when the signal is aborted. `listener` must not throw. The signal must not be aborted yet.
 * @returns a function that removes the listener
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let listeners = waiting.get(signal);
  if (listeners === undefined) {
    listeners = new Set();
    waiting.set(signal, listeners);
  }
  // Only one listener is added: from the eleventh listener on, Node warns of a leak.
  if (listeners.size === 0) signal.addEventListener('abort', tellAll);
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) signal.removeEventListener('abort', tellAll);
  };
}

/** The error of a call whose signal was aborted. @param what names the call, for example `the request` */
export function abortError(what: string, signal: AbortSignal, nodeId?: number): AbortError {
  const details = { cause: signal.reason as unknown, ...(nodeId !== undefined && { nodeId }) };
  return new AbortError(`${what} was given up: its signal was aborted`, details);
}

/** The outcome of `work`, or an AbortError when the signal is aborted. `work` is not stopped. */
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

/** Whether the signal is aborted already. Then the Future of that call fails. */
export function givenUp<T>(what: string, signal: AbortSignal | null, future: Future<T>): boolean {
  if (signal === null || !signal.aborted) return false;
  fail(future, abortError(what, signal));
  return true;
}

/** Makes the Future of a call fail when the signal is aborted before it is done. The call goes on. */
export function giveUpWhenAborted<T>(what: string, signal: AbortSignal | null, future: Future<T>): void {
  if (signal === null || future.isDone) return;
  onSettled(
    future as Future<unknown>,
    onAbort(signal, () => fail(future, abortError(what, signal))),
  );
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
