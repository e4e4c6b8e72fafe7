// Owns failures of Futures that nobody has looked at: each is told once, when its Future is collected or the process is about to
// end. Application thread. Must not keep a Future alive.

/** Told of a failure, and where in the application its call was made: frames, one a line; empty when that is not known. */
export type FailureUnseen = (error: Error, place: string) => void;

const collected = new FinalizationRegistry<UnseenFailure>((failure) => failure.tell());
/** Of Futures that are not collected yet; most processes end before they are. */
const untold = new Set<UnseenFailure>();

export class UnseenFailure {
  readonly #error: Error;
  readonly #place: string;
  readonly #told: FailureUnseen;

  /** @param future whose failure it is */
  constructor(future: object, error: Error, place: string, told: FailureUnseen) {
    this.#error = error;
    this.#place = place;
    this.#told = told;
    collected.register(future, this, this);
    if (untold.size === 0) process.on('beforeExit', tellUnseenFailures);
    untold.add(this);
  }

  /** Somebody has looked: there is nothing to tell any more. */
  forget(): void {
    if (!untold.delete(this)) return;
    collected.unregister(this);
    if (untold.size === 0) process.off('beforeExit', tellUnseenFailures);
  }

  tell(): void {
    if (!untold.has(this)) return;
    this.forget();
    this.#told(this.#error, this.#place);
  }
}

/** Nothing is under way any more, so nobody will look. */
export function tellUnseenFailures(): void {
  for (const failure of [...untold]) failure.tell();
}
