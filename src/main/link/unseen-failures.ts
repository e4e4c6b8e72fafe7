// Owns the failures of Futures that nobody has looked at. Each is reported once, when its Future is collected or when the process is
// about to end. Application thread. Must not keep a Future alive.

/** Called with a failure and the place of its call in the application: stack frames, one per line. Empty if the place is not known. */
export type FailureUnseen = (error: Error, place: string) => void;

const collected = new FinalizationRegistry<UnseenFailure>((failure) => failure.tell());
/** The failures of Futures that are not collected yet. Most processes end before they are. */
const untold = new Set<UnseenFailure>();

export class UnseenFailure {
  readonly #error: Error;
  readonly #place: string;
  readonly #told: FailureUnseen;

  /** @param future the Future that has failed */
  constructor(future: object, error: Error, place: string, told: FailureUnseen) {
    this.#error = error;
    this.#place = place;
    this.#told = told;
    collected.register(future, this, this);
    if (untold.size === 0) process.on('beforeExit', tellUnseenFailures);
    untold.add(this);
  }

  /** Somebody has looked at the failure, so it is not reported. */
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

/** Reports all of them: nothing is under way any more, so nobody will look. */
export function tellUnseenFailures(): void {
  for (const failure of [...untold]) failure.tell();
}
