// Owns this application thread's requests that are not settled yet: requestId to Future and Api, and how many there are
// for each node. Application thread.

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

/** One that nobody waits for any more; its answer still comes. */
interface Entry extends PendingRequest {
  isGivenUp?: boolean;
}

/** Of a length that is a power of two. */
type Table = (Entry | undefined)[];

const minTableLength = 64;

/**
 * A table rather than a Map: each time a Map renews its memory, the old one goes on referring to the new, and once one of
 * them is old for the collector, all that follow keep what they held (Futures, and so whole responses) until a full
 * collection. With big responses that was half of the time the collector took (bench/macro/fetch.ts).
 */
export class InFlight {
  /** The request with an id stands at its lowest bits; `nextRequestId` passes over ids whose place is taken. */
  #table = emptyTable(minTableLength);
  #size = 0;
  /** Entries in the table: requests given up still take a place on their connection, and here. */
  #entryCount = 0;
  /** A node that was asked once keeps its entry. */
  readonly #countOf = new Map<number, number>();
  #lastRequestId: number;

  /** @param lastRequestId uint32; other than 0 only in tests of the wrap */
  constructor(lastRequestId = 0) {
    this.#lastRequestId = lastRequestId;
  }

  /** All requests not settled. */
  get size(): number {
    return this.#size;
  }

  /** Those to one node that expect a response; also those given up, as long as the network thread has not settled them. */
  countOf(nodeId: number): number {
    return this.#countOf.get(nodeId) ?? 0;
  }

  /** uint32, never one that is in use. */
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
    // Not with ids of `nextRequestId`: their place is free.
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

  /** Nobody waits for that request any more; ignored when it is settled already. */
  giveUp(requestId: number): void {
    const entry = this.#at(requestId);
    if (entry === undefined || entry.requestId !== requestId || entry.isGivenUp === true) return;
    entry.isGivenUp = true;
    this.#size--;
  }

  /** Removes and returns the request; undefined for an id that was settled here before, such as by `close(nodeId)`. */
  take(requestId: number): PendingRequest | undefined {
    const request = this.#at(requestId);
    if (request === undefined || request.requestId !== requestId) return undefined;
    this.#remove(request);
    return request;
  }

  /** Removes and returns all requests to a node, or all there are, in the order they were sent. */
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

  /** Ids that differ in the table's bits differ in one bit more, too. */
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
