// Owns running callbacks in the async context (AsyncLocalStorage) of the code that added them, whoever reads the link when they
// are due. Application thread.

import { AsyncResource } from 'node:async_hooks';
import { checkCallbackRoom } from './stack-room.ts';

export type CallerContext = AsyncResource;

/** Callbacks under way, each within the one before. */
let depth = 0;

// Compiles what Node runs around a callback: with little stack left, that would fail, and end the process.
callerContext().runInAsyncScope(() => {});

/** The context of the code that runs now. */
export function callerContext(): CallerContext {
  return new AsyncResource('KAFKA_CALLBACK');
}

/** Calls `callback(value)` in that context; null: in whatever is the current one. */
export function runIn<V>(context: CallerContext | null, callback: (value: V) => unknown, value: V): void {
  if (context === null) {
    callback(value);
    return;
  }
  checkCallbackRoom(depth);
  depth++;
  try {
    context.runInAsyncScope(callback, undefined, value);
  } finally {
    depth--;
  }
}
