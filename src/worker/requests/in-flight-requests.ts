// Owns the requests of one connection that await their response, oldest first, and their deadlines. Network thread.
// Must not read a clock.

import type { InFlightRequest, RequestOwner } from './request-owner.ts';

export class InFlightRequests {
  /** The oldest request is at `#head`. The array is compacted now and then, because `shift` for each request would be slow. */
  #queue: InFlightRequest[] = [];
  #head = 0;
  #internalCount = 0;
  #earliest = Number.POSITIVE_INFINITY;
  /** True while no request has an earlier deadline than the one before it. Then the oldest request has the earliest deadline. */
  #isAscending = true;

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** How many of the requests belong to the network thread itself. */
  get internalCount(): number {
    return this.#internalCount;
  }

  /** How many of the requests belong to this owner. It looks at every request. */
  countOf(owner: RequestOwner): number {
    let count = 0;
    for (let i = this.#head; i < this.#queue.length; i++) if (this.#queue[i]!.owner === owner) count++;
    return count;
  }

  /** The time at which the next request expires, in ms on the monotonic clock. Infinity without requests. */
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

  /** Adds a request that is sent, and so answered, before all that are here. The caller must be holding those back. */
  addFirst(request: InFlightRequest): void {
    const rest = this.#queue.slice(this.#head);
    this.#queue = [request, ...rest];
    this.#head = 0;
    if (request.owner.isInternal) this.#internalCount++;
    this.#isAscending &&= rest.length === 0 || request.deadline <= rest[0]!.deadline;
    this.#earliest = Math.min(this.#earliest, request.deadline);
  }

  /** Removes and returns the oldest request. */
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

  /** Removes one request from any place. Returns false when it is not here. */
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

  /** Moves every deadline by the time for which the broker throttles this client. In total, a deadline moves by at most the request's own timeout. */
  extendForThrottle(byMs: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const request = this.#queue[i]!;
      const allowedMs = Math.min(byMs, request.throttleAllowanceMs);
      request.throttleAllowanceMs -= allowedMs;
      request.deadline += allowedMs;
    }
    // The deadlines may move by different amounts.
    this.#isAscending = false;
    this.#findEarliest();
  }

  /** Moves every deadline by the time for which this side did not read. */
  extendDeadlines(byMs: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) this.#queue[i]!.deadline += byMs;
    this.#findEarliest();
  }

  /** Removes and returns all requests, oldest first. */
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
