// Owns the check whether the stack has room for work that must not be interrupted by an overflow. Application thread.

import { IllegalStateError } from '../../common/errors/errors.ts';

/** Slots of 8 bytes. This is several times what the client needs between two calls of the application's code. */
const callSlots: readonly number[] = new Array<number>(2048).fill(0);
/** What Node's own code needs around a callback. */
const callbackSlots: readonly number[] = new Array<number>(512).fill(0);
/** The same if functions of Node must be compiled again first, which needs more. */
const nestedSlots: readonly number[] = new Array<number>(16 * 1024).fill(0);
/** From this depth on, callbacks inside callbacks count as an endless recursion. */
const manyNested = 16;

/**
 * Throws IllegalStateError if the application has nearly used up the stack, for example by an endless recursion. Otherwise the
 * overflow could come at any place in the client, for example after a frame was taken and before its Future was settled.
 */
export function checkStackRoom(): void {
  check(callSlots);
}

/**
 * The same check before a callback in its async context. There an overflow ends the process, because Node's count of contexts is
 * then wrong.
 * @param depth how many callbacks are under way, each inside another
 */
export function checkCallbackRoom(depth: number): void {
  check(depth < manyNested ? callbackSlots : nestedSlots);
}

function check(slots: readonly number[]): void {
  try {
    // Arguments lie on the stack.
    Reflect.apply(nothing, undefined, slots);
  } catch (cause) {
    throw new IllegalStateError('the stack is nearly full: look for an endless recursion of callbacks or calls', {
      cause,
    });
  }
}

function nothing(): void {}
