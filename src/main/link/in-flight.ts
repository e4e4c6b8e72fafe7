// Owns this application thread's requests that are not settled yet: their Futures and Apis by requestId, and the number of them for
// each node. Application thread.

import { IllegalStateError } from '../../common/errors/errors.ts';
import type { Api } from '../../protocol/flat/api.ts';
import type { Future } from './future.ts';

export interface PendingRequest {
  readonly requestId: number;
  readonly nodeId: number;
  readonly api: Pick<Api<unknown, unknown>, 'readResponse'>;
  readonly future: Future<unknown>;
  /** A Produce with acks 0 has no response and never counts against the limit. */
  readonly expectsResponse: boolean;
}

/** `isGivenUp`: nobody waits for the request any more, but its response still comes. */
interface Entry extends PendingRequest {
  isGivenUp?: boolean;
}

/** Its length is a power of two. */
type Table = (Entry | undefined)[];

const minTableLength = 64;

/**
 * This is a table and not a Map. When a Map gets new memory, its old memory refers to the new one. If the garbage collector has
 * moved old memory to the old generation, it keeps all later memory, and so Futures and whole responses, until a full collection.
 * With big responses this took half of the collector's time (bench/macro/fetch.ts).
 */
export class InFlight {
  /** The lowest bits of its id are the request's place. `nextRequestId` skips ids whose place is taken. */
  #table = emptyTable(minTableLength);
  #size = 0;
  /** How many entries the table has. Requests that were given up still take a place here and on their connection. */
  #entryCount = 0;
  /** By node. An entry stays here even when it is 0. */
  readonly #countOf = new Map<number, number>();
  #lastRequestId: number;

  /** @param lastRequestId uint32; only tests pass another value than 0 */
  constructor(lastRequestId = 0) {
    this.#lastRequestId = lastRequestId;
  }

  /** How many requests are not settled. */
  get size(): number {
    return this.#size;
  }

  /** How many requests to the node expect a response. Requests that were given up count until the network thread has settled them. */
  countOf(nodeId: number): number {
    return this.#countOf.get(nodeId) ?? 0;
  }

  /** A uint32 that is not in use. */
  nextRequestId(): number {
    if (this.#entryCount * 2 >= this.#table.length) this.#grow();
    let requestId = this.#lastRequestId;
    do requestId = requestId === 0xffffffff ? 1 : requestId + 1;
    while (this.#at(requestId) !== undefined);
    this.#lastRequestId = requestId;
    return requestId;
  }

  /** @throws IllegalStateError for an id that is in use */
  add(request: PendingRequest): void {
    // This loop does not run for ids of `nextRequestId`: their place is free.
    while (this.#at(request.requestId) !== undefined) {
      if (this.#at(request.requestId)!.requestId === request.requestId) {
        throw new IllegalStateError(`request ${request.requestId} is in flight already`);
      }
      this.#grow();
    }
    this.#table[placeIn(this.#table, request.requestId)] = request;
    this.#size++;
    this.#entryCount++;
    if (request.expectsResponse) this.#countOf.set(request.nodeId, this.countOf(request.nodeId) + 1);
  }

  /** Nobody waits for the request any more. Does nothing when it is settled already. */
  giveUp(requestId: number): void {
    const entry = this.#at(requestId);
    if (entry === undefined || entry.requestId !== requestId || entry.isGivenUp === true) return;
    entry.isGivenUp = true;
    this.#size--;
  }

  /** Removes and returns the request. Undefined if it was settled here before, for example by `close(nodeId)`. */
  take(requestId: number): PendingRequest | undefined {
    const request = this.#at(requestId);
    if (request === undefined || request.requestId !== requestId) return undefined;
    this.#remove(request);
    return request;
  }

  /** Removes and returns all requests to a node, or to all nodes, in the order in which they were sent. */
  takeAll(nodeId?: number): PendingRequest[] {
    const taken: Entry[] = [];
    for (const request of this.#table) {
      if (request !== undefined && (nodeId === undefined || request.nodeId === nodeId)) taken.push(request);
    }
    for (const request of taken) this.#remove(request);
    const age = ({ requestId }: PendingRequest): number => (this.#lastRequestId - requestId) >>> 0;
    return taken.sort((a, b) => age(b) - age(a));
  }

  #at(requestId: number): Entry | undefined {
    return this.#table[placeIn(this.#table, requestId)];
  }

  #remove(request: Entry): void {
    this.#table[placeIn(this.#table, request.requestId)] = undefined;
    if (request.isGivenUp !== true) this.#size--;
    this.#entryCount--;
    if (request.expectsResponse) this.#countOf.set(request.nodeId, this.countOf(request.nodeId) - 1);
  }

  /** Doubles the table. Ids with different places get different places again. */
  #grow(): void {
    const table = emptyTable(this.#table.length * 2);
    for (const request of this.#table) {
      if (request !== undefined) table[placeIn(table, request.requestId)] = request;
    }
    this.#table = table;
  }
}

function placeIn(table: Table, requestId: number): number {
  return requestId & (table.length - 1);
}

function emptyTable(length: number): Table {
  return new Array<Entry | undefined>(length).fill(undefined);
}
