// Owns the place of a call in the application's code. It is kept for the case that nobody looks at the call's failure. Application
// thread. It runs for every request: bench/micro/futures.ts measures what it costs.

/** A stack. The engine makes its text when it is first read. */
export interface CallPlace {
  readonly stack?: string;
}

/** How many frames of the application are kept. Each frame has a cost. */
const maxFrames = 4;

const canLimit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable === true;

/**
 * The place at which the application called a function.
 * @param below that function; it must be on the stack
 */
export function callPlace(below: (...args: never[]) => unknown): CallPlace {
  const place: CallPlace = {};
  const limit = Error.stackTraceLimit;
  // If the application has set a lower limit, that limit is used.
  if (!canLimit || limit <= maxFrames) {
    Error.captureStackTrace(place, below);
    return place;
  }
  Error.stackTraceLimit = maxFrames;
  Error.captureStackTrace(place, below);
  Error.stackTraceLimit = limit;
  return place;
}

/** The frames, one per line, without the text before them. */
export function framesOf({ stack }: CallPlace): string {
  const lines = typeof stack === 'string' ? stack.split('\n') : [];
  return lines
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');
}

/** The first so many calls have their places taken. After that, every sixteenth call has, as long as no place was missing. */
const takenAtFirst = 1024;
const takenOneOf = 16;

/** Decides which calls have their place taken. A place costs a tenth of the shortest request (bench/micro/futures.ts). */
export class CallPlaces {
  #left = takenAtFirst;
  #count = 0;

  /** Like `callPlace`, but null for most calls of an application that has made very many. */
  of(below: (...args: never[]) => unknown): CallPlace | null {
    if (this.#left > 0) this.#left--;
    else if (this.#count++ % takenOneOf !== 0) return null;
    return callPlace(below);
  }

  /** A failure was reported without its place. The next calls have their places taken again. */
  missed(): void {
    this.#left = takenAtFirst;
  }
}
