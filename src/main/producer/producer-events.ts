// Owns the listeners of a producer's events. Application thread. An error of a listener must reach only the log.

import { shown } from '../../common/text.ts';
import type { RecordFailure } from './producer-types.ts';

interface Heard {
  fatal: Error;
  failure: RecordFailure;
}

export class ProducerEvents {
  readonly #callbackThrew: (error: unknown) => void;
  readonly #listeners = { fatal: new Set<(what: Error) => void>(), failure: new Set<(what: RecordFailure) => void>() };

  constructor(callbackThrew: (error: unknown) => void) {
    this.#callbackThrew = callbackThrew;
  }

  /** Throws TypeError for what is no event, and for what is no function. */
  add(event: keyof Heard, listener: (what: never) => void): void {
    if (event !== 'fatal' && event !== 'failure')
      throw new TypeError(`a producer has the events 'fatal' and 'failure', not ${shown(event)}`);
    if (typeof listener !== 'function') throw new TypeError(`listener must be a function, not ${shown(listener)}`);
    (this.#listeners[event] as Set<(what: never) => void>).add(listener);
  }

  emit<E extends keyof Heard>(event: E, what: Heard[E]): void {
    for (const listener of this.#listeners[event] as Set<(what: Heard[E]) => void>) {
      try {
        listener(what);
      } catch (error) {
        this.#callbackThrew(error);
      }
    }
  }
}
