// Owns the place of a call in the application's code, kept until it is known whether anybody needs it. Application thread. It is
// on the way of every request: what it costs is measured by bench/micro/futures.ts.

/** A stack that the engine turns into text when it is first read. */
export interface CallPlace {
  readonly stack?: string;
}

/** Frames of the application; each one more costs. */
const maxFrames = 4;

const canLimit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable === true;

/**
 * Where the function that the application called was called.
 * @param below that function; it must be on the stack
 */
export function callPlace(below: (...args: never[]) => unknown): CallPlace {
  const place: CallPlace = {};
  const limit = Error.stackTraceLimit;
  // An application that wants fewer frames, or none, gets fewer.
  if (!canLimit || limit <= maxFrames) {
    Error.captureStackTrace(place, below);
    return place;
  }
  Error.stackTraceLimit = maxFrames;
  Error.captureStackTrace(place, below);
  Error.stackTraceLimit = limit;
  return place;
}

/** The frames, one a line, without what stands before them. */
export function framesOf({ stack }: CallPlace): string {
  const lines = typeof stack === 'string' ? stack.split('\n') : [];
  return lines
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');
}

/** Calls whose places are taken one by one; then, while nothing is missed, those of every sixteenth. */
const takenAtFirst = 1024;
const takenOneOf = 16;

/** Owns which calls have their place taken: a place costs a tenth of the shortest request (bench/micro/futures.ts). */
export class CallPlaces {
  #left = takenAtFirst;
  #count = 0;

  /** As `callPlace`; null for most calls of an application that has made very many. */
  of(below: (...args: never[]) => unknown): CallPlace | null {
    if (this.#left > 0) this.#left--;
    else if (this.#count++ % takenOneOf !== 0) return null;
    return callPlace(below);
  }

  /** A failure was told without its place: the next of its kind is to have one. */
  missed(): void {
    this.#left = takenAtFirst;
  }
}
