// Owns the async context (AsyncLocalStorage) of callbacks: a callback runs in the context of the code that added it. Application
// thread.

import { AsyncResource } from 'node:async_hooks';
import { checkCallbackRoom } from './stack-room.ts';

export type CallerContext = AsyncResource;

/** How many callbacks are under way, each inside another. */
let depth = 0;

// This call makes the engine compile Node's code around callbacks now. With little stack left, that would fail and end the process.
callerContext().runInAsyncScope(() => {});

/** The context of the code that runs now. */
export function callerContext(): CallerContext {
  return new AsyncResource('KAFKA_CALLBACK');
}

/** Calls `callback(value)` in that context. Null: in the current context. */
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
