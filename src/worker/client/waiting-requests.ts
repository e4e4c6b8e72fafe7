// Owns the requests of application threads that wait for a place on one connection, because requests of other threads have all places, or
// for the code of their API. Threads take turns. Network thread. Must not send anything, and must not read a clock.

import { Cancelled, NodeNotReadyError } from '../../common/errors/errors.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import type { RequestName, RequestOwner } from '../requests/request-owner.ts';

export interface WaitingRequest extends RequestName {
  readonly owner: RequestOwner;
  readonly apiKey: number;
  readonly version: number;
  readonly timeoutMs: number;
  deadline: number;
  /** How far throttling may still move the deadline, in ms. */
  throttleAllowanceMs: number;
  /** What it waits for first, its turn aside. */
  readonly waitsFor: 'a place' | 'code';
  /** A copy: the memory of the request link is free at once. */
  readonly message: FlatMessage;
}

export class WaitingRequests {
  /** The thread whose turn comes next is the first. */
  readonly #byOwner = new Map<RequestOwner, WaitingRequest[]>();
  #size = 0;
  /** No deadline is earlier. */
  #earliest = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  countOf(owner: RequestOwner): number {
    return this.#byOwner.get(owner)?.length ?? 0;
  }

  /** When `expired` is to be called next, in ms on the monotonic clock. Infinity without requests. */
  get earliestDeadline(): number {
    return this.#earliest;
  }

  add(request: WaitingRequest): void {
    const { owner, deadline, message } = request;
    const queue = this.#byOwner.get(owner);
    if (queue === undefined) this.#byOwner.set(owner, [request]);
    else queue.push(request);
    this.#size++;
    this.#earliest = Math.min(this.#earliest, deadline);
    owner.onWaiting?.(message.byteLength);
  }

  /** What `take` would return. */
  get next(): WaitingRequest | undefined {
    for (const [first] of this.#byOwner.values()) return first;
    return undefined;
  }

  /** Removes and returns the oldest request of the thread whose turn it is. The thread goes behind the others. */
  take(): WaitingRequest | undefined {
    for (const [owner, queue] of this.#byOwner) {
      this.#byOwner.delete(owner);
      const request = queue.shift()!;
      if (queue.length > 0) this.#byOwner.set(owner, queue);
      this.#removed([request]);
      return request;
    }
    return undefined;
  }

  /** Removes and returns the requests whose deadline has passed. */
  expired(now: number): WaitingRequest[] {
    if (now < this.#earliest) return [];
    const expired: WaitingRequest[] = [];
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const [owner, queue] of this.#byOwner) {
      const left: WaitingRequest[] = [];
      for (const request of queue) {
        if (request.deadline <= now) expired.push(request);
        else left.push(request);
        if (request.deadline > now) this.#earliest = Math.min(this.#earliest, request.deadline);
      }
      if (left.length === queue.length) continue;
      if (left.length === 0) this.#byOwner.delete(owner);
      else this.#byOwner.set(owner, left);
    }
    this.#removed(expired);
    return expired;
  }

  /** Removes and returns the requests of a thread. */
  forget(owner: RequestOwner): WaitingRequest[] {
    const queue = this.#byOwner.get(owner) ?? [];
    this.#byOwner.delete(owner);
    this.#removed(queue);
    return queue;
  }

  /** Removes and returns all requests, in the order in which they would have been sent. */
  drain(): WaitingRequest[] {
    const all: WaitingRequest[] = [];
    for (let next = this.take(); next !== undefined; next = this.take()) all.push(next);
    return all;
  }

  /** Moves every deadline by the time for which the connection was not read. */
  extendDeadlines(byMs: number): void {
    for (const queue of this.#byOwner.values()) for (const request of queue) request.deadline += byMs;
  }

  /** Moves every deadline by the time for which the broker throttles this client, at most by the request's own timeout in total. */
  extendForThrottle(byMs: number): void {
    for (const queue of this.#byOwner.values()) {
      for (const request of queue) {
        const allowedMs = Math.min(byMs, request.throttleAllowanceMs);
        request.throttleAllowanceMs -= allowedMs;
        request.deadline += allowedMs;
      }
    }
  }

  #removed(requests: readonly WaitingRequest[]): void {
    for (const { owner, message } of requests) owner.onWaiting?.(-message.byteLength);
    this.#size -= requests.length;
    if (this.#size === 0) this.#earliest = Number.POSITIVE_INFINITY;
  }
}

/** Requests that waited for a place on a connection that is given up. Unlike requests in flight, they were certainly not carried out. */
export function failUnsent(
  node: { readonly id: number; readonly name: string },
  requests: readonly WaitingRequest[],
  cause: Error,
  now: number,
): void {
  if (requests.length === 0) return;
  const text = `not sent to ${node.name}, where it waited for a place among the requests in flight: ${cause.message}`;
  const error = cause instanceof Cancelled ? cause : new NodeNotReadyError(text, { nodeId: node.id, cause });
  for (const request of requests) request.owner.onFailure(request, error, now);
}
