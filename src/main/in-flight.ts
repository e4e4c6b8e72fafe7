// Owns this application thread's requests that are not settled yet: requestId to Future and Api, and how many there are
// for each node. Application thread.

import type { Api } from '../protocol/flat/api.ts';
import type { Future } from './future.ts';

export interface PendingRequest {
  readonly requestId: number;
  readonly nodeId: number;
  readonly api: Pick<Api<unknown, unknown>, 'readResponse'>;
  readonly future: Future<unknown>;
  /** A Produce with acks 0 has no response and never counts against the limit. */
  readonly expectsResponse: boolean;
}

export class InFlight {
  readonly #requests = new Map<number, PendingRequest>();
  readonly #countOf = new Map<number, number>();
  #nextRequestId = 1;

  /** All requests not settled. */
  get size(): number {
    return this.#requests.size;
  }

  /** Those to one node that expect a response. */
  countOf(nodeId: number): number {
    return this.#countOf.get(nodeId) ?? 0;
  }

  /** uint32, never one that is in use. */
  nextRequestId(): number {
    do {
      this.#nextRequestId = this.#nextRequestId === 0xffffffff ? 1 : this.#nextRequestId + 1;
    } while (this.#requests.has(this.#nextRequestId));
    return this.#nextRequestId;
  }

  add(request: PendingRequest): void {
    this.#requests.set(request.requestId, request);
    if (request.expectsResponse) this.#countOf.set(request.nodeId, this.countOf(request.nodeId) + 1);
  }

  /** Removes and returns the request; undefined for an id that was settled here before, such as by `close(nodeId)`. */
  take(requestId: number): PendingRequest | undefined {
    const request = this.#requests.get(requestId);
    if (request !== undefined) this.#remove(request);
    return request;
  }

  /** Removes and returns all requests to a node, or all there are, in the order they were sent. */
  takeAll(nodeId?: number): PendingRequest[] {
    const taken = [...this.#requests.values()].filter((request) => nodeId === undefined || request.nodeId === nodeId);
    for (const request of taken) this.#remove(request);
    return taken;
  }

  #remove(request: PendingRequest): void {
    this.#requests.delete(request.requestId);
    if (!request.expectsResponse) return;
    const left = this.countOf(request.nodeId) - 1;
    if (left === 0) this.#countOf.delete(request.nodeId);
    else this.#countOf.set(request.nodeId, left);
  }
}
