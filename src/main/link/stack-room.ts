// Owns the question whether the stack has room for work that must not stop half way. Application thread.

import { IllegalStateError } from '../../common/errors/errors.ts';

/** Of 8 bytes each: as much as the client needs between two calls of the application's code, several times over. */
const callSlots: readonly number[] = Array.from({ length: 2048 }, () => 0);
/** What Node needs around a callback. */
const callbackSlots: readonly number[] = Array.from({ length: 512 }, () => 0);
/** The same where functions of Node's have to be compiled again first, which takes more. */
const nestedSlots: readonly number[] = Array.from({ length: 16 * 1024 }, () => 0);
/** Callbacks within callbacks that are taken for an accident from here on. */
const manyNested = 16;

/**
 * Throws IllegalStateError where the application has nearly used up its stack, as by a recursion without end. An overflow would
 * otherwise come wherever the client happens to be, such as between taking a frame and settling its Future.
 */
export function checkStackRoom(): void {
  check(callSlots);
}

/**
 * The same before a callback in its async context, where an overflow ends the process: Node counts contexts, and finds that it
 * has counted wrong.
 * @param depth of callbacks within callbacks
 */
export function checkCallbackRoom(depth: number): void {
  check(depth < manyNested ? callbackSlots : nestedSlots);
}

function check(slots: readonly number[]): void {
  try {
    // Arguments lie on the stack.
    Reflect.apply(nothing, undefined, slots);
  } catch (cause) {
    throw new IllegalStateError('the stack is nearly full: an endless recursion of callbacks or calls?', { cause });
  }
}

function nothing(): void {}
