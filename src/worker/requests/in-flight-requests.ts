// Owns the requests of one connection that await their response, oldest first, and their deadlines. Network thread.
// Must not read a clock: `now` is given.

import type { InFlightRequest } from './request-owner.ts';

export class InFlightRequests {
  /** Oldest at `#head`; compacted now and then instead of shifted each time. */
  #queue: InFlightRequest[] = [];
  #head = 0;
  #internalCount = 0;
  #earliest = Number.POSITIVE_INFINITY;
  /** Each is due no earlier than the one before it, as with one limit for all: then the oldest tells the earliest deadline. */
  #isAscending = true;

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** How many of them belong to the network thread itself. */
  get internalCount(): number {
    return this.#internalCount;
  }

  /** ms on the monotonic clock at which the next request expires; Infinity without requests. */
  get earliestDeadline(): number {
    return this.#earliest;
  }

  get oldest(): InFlightRequest | undefined {
    return this.#queue[this.#head];
  }

  add(request: InFlightRequest): void {
    if (this.size === 0) this.#isAscending = true;
    else if (request.deadline < this.#queue.at(-1)!.deadline) this.#isAscending = false;
    this.#queue.push(request);
    if (request.owner.isInternal) this.#internalCount++;
    if (request.deadline < this.#earliest) this.#earliest = request.deadline;
  }

  /** Adds one that is answered before all others that wait: those are held back, or the order of answers would be wrong. */
  addFirst(request: InFlightRequest): void {
    const rest = this.#queue.slice(this.#head);
    this.#queue = [request, ...rest];
    this.#head = 0;
    if (request.owner.isInternal) this.#internalCount++;
    this.#isAscending &&= rest.length === 0 || request.deadline <= rest[0]!.deadline;
    this.#earliest = Math.min(this.#earliest, request.deadline);
  }

  /** Removes and returns the oldest. */
  shift(): InFlightRequest {
    const request = this.#queue[this.#head]!;
    this.#head++;
    if (request.owner.isInternal) this.#internalCount--;
    if (this.#head > 32 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (request.deadline <= this.#earliest) this.#findEarliest();
    return request;
  }

  /** Removes one request out of turn; false when it is not here any more. */
  remove(request: InFlightRequest): boolean {
    const at = this.#queue.indexOf(request, this.#head);
    if (at === -1) return false;
    this.#queue.splice(at, 1);
    if (request.owner.isInternal) this.#internalCount--;
    this.#findEarliest();
    return true;
  }

  /** The oldest request whose deadline has passed. */
  expired(now: number): InFlightRequest | undefined {
    if (now < this.#earliest) return undefined;
    for (let i = this.#head; i < this.#queue.length; i++) {
      if (this.#queue[i]!.deadline <= now) return this.#queue[i];
    }
    return undefined;
  }

  /** Moves every deadline by time during which the broker said it would not answer; in all at most once by the request's own limit. */
  extendForThrottle(byMs: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const request = this.#queue[i]!;
      const allowedMs = Math.min(byMs, request.throttleAllowanceMs);
      request.throttleAllowanceMs -= allowedMs;
      request.deadline += allowedMs;
    }
    // Not all by as much.
    this.#isAscending = false;
    this.#findEarliest();
  }

  /** Moves every deadline by time during which this side did not read. */
  extendDeadlines(byMs: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) this.#queue[i]!.deadline += byMs;
    this.#findEarliest();
  }

  /** Removes and returns all, oldest first. */
  drain(): InFlightRequest[] {
    const all = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.#internalCount = 0;
    this.#earliest = Number.POSITIVE_INFINITY;
    return all;
  }

  #findEarliest(): void {
    if (this.#isAscending) {
      this.#earliest = this.oldest?.deadline ?? Number.POSITIVE_INFINITY;
      return;
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = this.#head; i < this.#queue.length; i++) {
      if (this.#queue[i]!.deadline < earliest) earliest = this.#queue[i]!.deadline;
    }
    this.#earliest = earliest;
  }
}
