// Owns the waits for a refresh of metadata: which of them the next request serves, which the one under way, and how each ends, once.
// Network thread. Must not decide when a refresh is due, nor read a clock.

import { errorFor } from '../../common/errors/errors.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';

interface Wait {
  readonly owner: object;
  /** When it began, ms on the monotonic clock. */
  since: number;
  /** Set when the request is sent: the topic, if its owner asks for only one. */
  onlyTopic: string | null;
  resolve(updateId: number): void;
  reject(error: Error): void;
}

export class MetadataWaits {
  /** Waits for a request that is not sent yet, in the order of their begin, and waits for the request under way. */
  #waiting: Wait[] = [];
  #served: Wait[] = [];
  #closeError: Error | null = null;

  /** Whether somebody waits for a request that is not sent yet. */
  get areOpen(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether somebody waits for the request under way. */
  get areServed(): boolean {
    return this.#served.length > 0;
  }

  /** A promise of the id of an update whose request is sent after this call. */
  begin(owner: object, now: number): Promise<number> {
    if (this.#closeError !== null) return Promise.reject(this.#closeError);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ owner, since: now, onlyTopic: null, resolve, reject });
    });
  }

  /** The request is sent: all present waits end with its answer. */
  serve(onlyTopicOf: (owner: object) => string | null): void {
    for (const wait of this.#waiting) wait.onlyTopic = onlyTopicOf(wait.owner);
    // Not `push(...)`: there may be more waits than the stack has room for arguments.
    this.#served = [...this.#served, ...this.#waiting];
    this.#waiting = [];
  }

  /** When the oldest wait for a request that is not sent yet began; Infinity for none. */
  get oldestSince(): number {
    return this.#waiting[0]?.since ?? Number.POSITIVE_INFINITY;
  }

  /** No request could be sent for so many ms. */
  extend(byMs: number): void {
    for (const wait of this.#waiting) wait.since += byMs;
  }

  /** The request was not sent in time: the waits that began at `at` or before fail. */
  expire(at: number, error: Error): void {
    const later = this.#waiting.findIndex(({ since }) => since > at);
    for (const wait of this.#waiting.splice(0, later < 0 ? this.#waiting.length : later)) wait.reject(error);
  }

  /** Nobody can be asked: the waits that began before `at` fail. */
  giveUp(at: number, error: () => Error): void {
    const later = this.#waiting.findIndex(({ since }) => since >= at);
    const ended = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
    if (ended.length === 0) return;
    const reason = error();
    for (const wait of ended) wait.reject(reason);
  }

  /** Takes the waits that the request under way serves. */
  takeServed(): ServedWaits {
    const served = this.#served;
    this.#served = [];
    return {
      answer: (response, updateId) => {
        for (const wait of served) {
          const refusal = wait.onlyTopic === null ? null : refusalOf(response, wait.onlyTopic);
          if (refusal === null) wait.resolve(updateId);
          else wait.reject(refusal);
        }
      },
      fail: (error) => {
        for (const wait of served) wait.reject(error);
      },
    };
  }

  /** No request will be sent any more: all waits fail. */
  close(error: Error): void {
    this.#closeError = error;
    const waits = [...this.#served, ...this.#waiting];
    this.#served = [];
    this.#waiting = [];
    for (const wait of waits) wait.reject(error);
  }
}

/** Exactly one of the two is to be called, once. */
export interface ServedWaits {
  answer(response: MetadataResponseView, updateId: number): void;
  fail(error: Error): void;
}

/**
 * The error of a topic if it will not pass; else null. An error may pass if, for example, the topic was just created:
 * then the topic is asked for again, and the waits end successfully. The rest of the response is used in any case.
 */
function refusalOf(response: MetadataResponseView, topic: string): Error | null {
  for (const { errorCode, name } of response.topics) {
    if (name !== topic) continue;
    const refusal = errorFor(errorCode);
    if (refusal === null || refusal.retriable) return null;
    refusal.message += `: topic ${JSON.stringify(name)}`;
    return refusal;
  }
  return null;
}
