// Owns the Future: a result that is settled once, tells callbacks at once and can be awaited. Application thread.

import { IllegalStateError, KafkaClientError } from '../../common/errors/errors.ts';
import { defer } from '../../common/microtask.ts';
import { thrownError } from '../../common/thrown.ts';
import { type CallerContext, callerContext, runIn } from './async-context.ts';
import { type CallPlace, callPlace, framesOf } from './call-place.ts';
import { type FailureUnseen, UnseenFailure } from './unseen-failures.ts';

/** What is to happen when a Future is settled; the unused half is null. */
interface Reaction<T> {
  readonly onSuccess: ((value: T) => void) | null;
  readonly onFailure: ((error: Error) => void) | null;
  /** The async context of whoever added it; null: it needs none. */
  readonly context: CallerContext | null;
}

/** What the client itself does to Futures, whatever the application has done to them. */
interface Access {
  /** False when it was complete already. */
  succeed<T>(future: Future<T>, value: T): boolean;
  fail(future: Future<unknown>, error: Error): boolean;
  onSettled(future: Future<unknown>, listener: () => void): () => void;
}

let access: Access;

/**
 * The result of a request, as kafka-python's Future, and awaitable besides. Callbacks run synchronously, in the order
 * they were added, inside whatever call completes it (a drain of the response link, `poll`, `pollSync`), and in the async
 * context (`AsyncLocalStorage`) of the code that added them; `await` continues after that. A failure that nobody looks at is
 * told of by a warning: by awaiting, `then` and its like, a callback, or reading `failed`, `succeeded`, `exception` or
 * `retriable` of a Future that has failed. It never raises `unhandledRejection` by itself, nor does one whose failure an
 * errback hears of, whatever promises were made of it besides.
 */
export class Future<T> implements PromiseLike<T> {
  #isDone = false;
  #value: T | undefined;
  #exception: Error | null = null;
  /** Null while there is none, as of most Futures until they are awaited. */
  #reactions: Reaction<T>[] | null = null;
  #settledListeners: Set<() => void> | null = null;
  #isFailureHeard = false;
  #isSeen = false;
  #unseen: UnseenFailure | null = null;
  /** Made when it is first awaited. */
  #promise: Promise<T> | null = null;
  #place: CallPlace | null;
  readonly #callbackThrew: (error: unknown) => void;
  readonly #failureUnseen: FailureUnseen;

  static {
    access = {
      succeed: (future, value) => !future.#isDone && future.#succeed(value),
      fail: (future, error) => !future.#isDone && future.#fail(error),
      onSettled: (future, listener) => future.#onSettled(listener),
    };
  }

  /**
   * @param callbackThrew told of what callbacks throw; default: a process warning
   * @param failureUnseen told of a failure that nobody looked at; default: a process warning
   * @param place         of the call whose result this is; default: where it fails
   */
  constructor(
    callbackThrew: (error: unknown) => void = warn,
    failureUnseen: FailureUnseen = warnOfFailure,
    place: CallPlace | null = null,
  ) {
    this.#callbackThrew = callbackThrew;
    this.#failureUnseen = failureUnseen;
    this.#place = place;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Done without an exception. */
  get succeeded(): boolean {
    this.#lookAtFailure();
    return this.#isDone && this.#exception === null;
  }

  /** Done with an exception. */
  get failed(): boolean {
    this.#lookAtFailure();
    return this.#exception !== null;
  }

  /** The result; undefined until it succeeds. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Why it failed; null unless it did. */
  get exception(): Error | null {
    this.#lookAtFailure();
    return this.#exception;
  }

  /** Whether the same request may succeed later; false unless it failed. */
  get retriable(): boolean {
    this.#lookAtFailure();
    return this.#exception instanceof KafkaClientError && this.#exception.retriable;
  }

  /** Completes it. Throws IllegalStateError when it is complete already. */
  success(value: T): this {
    this.#checkOpen();
    this.#succeed(value);
    return this;
  }

  /** Completes it with an error. Throws IllegalStateError when it is complete already, TypeError for anything but an Error. */
  failure(exception: Error): this {
    if (!(exception instanceof Error))
      throw new TypeError(`a Future fails with an Error, not with ${typeof exception}`);
    this.#checkOpen();
    if (!this.#isSeen) this.#place ??= callPlace(this.failure);
    this.#fail(exception);
    return this;
  }

  /** Calls `callback(...args, value)` on success: at once when it has already succeeded. */
  addCallback<A extends unknown[]>(callback: (...args: [...A, T]) => void, ...args: A): this {
    this.#look();
    if (!this.#isDone || this.#exception === null) {
      this.#add({ onSuccess: (value) => callback(...args, value), onFailure: null, context: callerContext() });
    }
    return this;
  }

  /** Calls `errback(...args, error)` on failure: at once when it has already failed. */
  addErrback<A extends unknown[]>(errback: (...args: [...A, Error]) => void, ...args: A): this {
    this.#look();
    this.#isFailureHeard = true;
    if (!this.#isDone || this.#exception !== null) {
      this.#add({ onSuccess: null, onFailure: (error) => errback(...args, error), context: callerContext() });
    }
    return this;
  }

  /** Calls `callback(...args, valueOrError)` either way. */
  addBoth<A extends unknown[]>(callback: (...args: [...A, T | Error]) => void, ...args: A): this {
    return this.addCallback<A>(callback, ...args).addErrback<A>(callback, ...args);
  }

  /** Passes the outcome on to `other`, unless that is complete by then. */
  chain(other: Future<T>): this {
    this.addCallback((value) => succeed(other, value));
    return this.addErrback((error) => fail(other, error));
  }

  // biome-ignore lint/suspicious/noThenProperty: awaitable by design
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    const promise = this.#asPromise().then(onFulfilled, onRejected);
    if (typeof onRejected !== 'function') this.#leaveToErrback(promise);
    return promise;
  }

  /** As a promise's: of the value, or of what `onRejected` makes of the failure. */
  catch<E = never>(onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.then(undefined, onRejected);
  }

  /** As a promise's: calls `onFinally` either way, then goes on with the outcome. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    const promise = this.#asPromise().finally(onFinally);
    this.#leaveToErrback(promise);
    return promise;
  }

  #asPromise(): Promise<T> {
    this.#look();
    this.#promise ??= new Promise<T>((resolve, reject) => {
      this.#add({ onSuccess: resolve, onFailure: reject, context: null });
    });
    return this.#promise;
  }

  /** Of a promise that rejects with the failure although nobody handles it there. */
  #leaveToErrback(promise: Promise<unknown>): void {
    // Not now: of a future that has failed already, the promise may be made first and the errback added after it.
    const leave = (): void => {
      if (this.#isFailureHeard) promise.catch(() => {});
    };
    this.#add({ onSuccess: null, onFailure: () => defer(leave), context: null });
  }

  #add(reaction: Reaction<T>): void {
    if (this.#isDone) this.#react(reaction);
    else if (this.#reactions === null) this.#reactions = [reaction];
    else this.#reactions.push(reaction);
  }

  #onSettled(listener: () => void): () => void {
    this.#settledListeners ??= new Set();
    this.#settledListeners.add(listener);
    return () => void this.#settledListeners?.delete(listener);
  }

  /** Somebody will hear of a failure, or has heard of it. */
  #look(): void {
    this.#isSeen = true;
    this.#place = null;
    if (this.#unseen === null) return;
    this.#unseen.forget();
    this.#unseen = null;
  }

  #lookAtFailure(): void {
    if (this.#unseen !== null) this.#look();
  }

  #checkOpen(): void {
    if (this.#isDone) throw new IllegalStateError('this Future is already complete');
  }

  #succeed(value: T): true {
    this.#isDone = true;
    this.#value = value;
    this.#place = null;
    this.#settled();
    return true;
  }

  #fail(exception: Error): true {
    this.#isDone = true;
    this.#exception = exception;
    if (!this.#isSeen) {
      const place = this.#place === null ? '' : framesOf(this.#place);
      this.#place = null;
      this.#unseen = new UnseenFailure(this, exception, place, this.#failureUnseen);
    }
    this.#settled();
    return true;
  }

  #settled(): void {
    // Released, so that a Future kept for its value keeps nothing else.
    const reactions = this.#reactions;
    this.#reactions = null;
    if (reactions !== null) for (const reaction of reactions) this.#react(reaction);
    const listeners = this.#settledListeners;
    this.#settledListeners = null;
    if (listeners !== null) for (const listener of listeners) listener();
  }

  #react({ onSuccess, onFailure, context }: Reaction<T>): void {
    try {
      if (this.#exception !== null) {
        if (onFailure !== null) runIn(context, onFailure, this.#exception);
      } else if (onSuccess !== null) {
        runIn(context, onSuccess, this.#value as T);
      }
    } catch (error) {
      // One listener's fault must not keep the others, or the reader of the link, from going on.
      tell(this.#callbackThrew, error);
    }
  }
}

/** Completes it, unless the application did so by itself. */
export function succeed<T>(future: Future<T>, value: T): void {
  access.succeed(future, value);
}

/** Completes it with an error, unless the application completed it by itself. */
export function fail<T>(future: Future<T>, error: Error): void {
  access.fail(future as Future<unknown>, error);
}

/** Calls `listener`, which must not throw, when the Future is settled, which it must not be yet. @returns takes it back */
export function onSettled(future: Future<unknown>, listener: () => void): () => void {
  return access.onSettled(future, listener);
}

/** A Future that has already failed. @param place of the call that it answers */
export function failedFuture<T>(
  error: Error,
  callbackThrew?: (error: unknown) => void,
  failureUnseen?: FailureUnseen,
  place: CallPlace | null = null,
): Future<T> {
  const future = new Future<T>(callbackThrew, failureUnseen, place);
  access.fail(future as Future<unknown>, error);
  return future;
}

function tell(listener: (error: unknown) => void, error: unknown): void {
  try {
    listener(error);
  } catch {
    // Mostly for want of stack, which there is again in a turn of its own.
    setImmediate(() => {
      try {
        listener(error);
      } catch (second) {
        warn(second);
      }
    });
  }
}

function warn(error: unknown): void {
  process.emitWarning(thrownError(error), { code: 'KAFKA_FUTURE_CALLBACK' });
}

function warnOfFailure(error: Error, place: string): void {
  process.emitWarning(unseenText(error, place), { type: 'KafkaWarning', code: 'KAFKA_FAILURE_UNSEEN', detail: place });
}

/** What is said of a failure that nobody looked at. */
export function unseenText(error: Error, place: string): string {
  const { name, message } = thrownError(error);
  const where = place === '' ? '' : `, made ${place.split('\n', 1)[0]}`;
  return `a call failed and nobody looked at its Future${where}: ${name}: ${message}; await it, or add an errback`;
}
