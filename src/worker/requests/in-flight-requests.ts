// Owns the requests of one connection that await their response, oldest first, and their deadlines. Network thread.
// Must not read a clock.

import type { InFlightRequest, RequestOwner } from './request-owner.ts';

export class InFlightRequests {
  /** The oldest request is at `#head`. The array is compacted now and then, because `shift` for each request would be slow. */
  #queue: InFlightRequest[] = [];
  #head = 0;
  /**
   * Requests behind which no request has an earlier deadline, in their order: so their deadlines ascend, and the first of them, at
   * `#leastHead`, has the earliest of all. Each request comes and goes here once, whatever the deadlines of the others are.
   */
  #least: InFlightRequest[] = [];
  #leastHead = 0;
  #internalCount = 0;
  readonly #countOf = new Map<RequestOwner, number>();

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** How many of the requests belong to the network thread itself. */
  get internalCount(): number {
    return this.#internalCount;
  }

  /** How many of the requests belong to this owner. */
  countOf(owner: RequestOwner): number {
    return this.#countOf.get(owner) ?? 0;
  }

  /** The time at which the next request expires, in ms on the monotonic clock. Infinity without requests. */
  get earliestDeadline(): number {
    return this.#least[this.#leastHead]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  get oldest(): InFlightRequest | undefined {
    return this.#queue[this.#head];
  }

  add(request: InFlightRequest): void {
    this.#queue.push(request);
    this.#addLeast(request);
    this.#counted(request.owner, 1);
  }

  /** Adds a request that is sent, and so answered, before all that are here. The caller must be holding those back. */
  addFirst(request: InFlightRequest): void {
    this.#queue = [request, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    this.#counted(request.owner, 1);
    this.#findLeast();
  }

  /** Removes and returns the oldest request. */
  shift(): InFlightRequest {
    const request = this.#queue[this.#head]!;
    this.#head++;
    if (this.#head > 32 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (this.#least[this.#leastHead] === request) {
      this.#leastHead++;
      if (this.#leastHead > 32 && this.#leastHead * 2 > this.#least.length) {
        this.#least = this.#least.slice(this.#leastHead);
        this.#leastHead = 0;
      }
    }
    this.#counted(request.owner, -1);
    return request;
  }

  /** Removes one request from any place. Returns false when it is not here. */
  remove(request: InFlightRequest): boolean {
    const at = this.#queue.indexOf(request, this.#head);
    if (at === -1) return false;
    this.#queue.splice(at, 1);
    this.#counted(request.owner, -1);
    this.#findLeast();
    return true;
  }

  /** The oldest request whose deadline has passed. */
  expired(now: number): InFlightRequest | undefined {
    if (now < this.earliestDeadline) return undefined;
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
    this.#findLeast();
  }

  /** Moves every deadline by the time for which this side did not read. */
  extendDeadlines(byMs: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) this.#queue[i]!.deadline += byMs;
  }

  /** Removes and returns all requests, oldest first. */
  drain(): InFlightRequest[] {
    const all = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.#least = [];
    this.#leastHead = 0;
    this.#internalCount = 0;
    this.#countOf.clear();
    return all;
  }

  #counted(owner: RequestOwner, change: 1 | -1): void {
    if (owner.isInternal) this.#internalCount += change;
    const count = this.countOf(owner) + change;
    if (count === 0) this.#countOf.delete(owner);
    else this.#countOf.set(owner, count);
  }

  #addLeast(request: InFlightRequest): void {
    const least = this.#least;
    while (least.length > this.#leastHead && least.at(-1)!.deadline > request.deadline) least.pop();
    least.push(request);
  }

  #findLeast(): void {
    this.#least = [];
    this.#leastHead = 0;
    for (let i = this.#head; i < this.#queue.length; i++) this.#addLeast(this.#queue[i]!);
  }
}
