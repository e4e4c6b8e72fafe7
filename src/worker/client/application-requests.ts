// Owns what becomes of a request that an application thread has posted: it is refused, it goes to its connection, or it waits: for a
// place there while requests of other threads have all places, or for the code of its API. Network thread. Must not touch sockets or
// shared memory.
//
// A connection has `maxInFlightRequestsPerConnection` places. One thread may use all of them while no other wants any. When several
// threads want a place, each place that becomes free goes to the next thread by turns. So no thread waits longer than for one answer
// to each of the others, however many requests these have.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { NodeNotReadyError } from '../../common/errors/errors.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { isCodecLoaded, loadCodec, wireCodec } from '../../protocol/wire/codecs.ts';
import { copiedMessage } from '../requests/flat-copy.ts';
import type { RequestOwner } from '../requests/request-owner.ts';
import type { Node } from './node.ts';
import { tooManyInFlight, whyNotSend } from './node-refusal.ts';
import type { Nodes } from './nodes.ts';
import type { OutgoingRequest, RequestSender } from './request-sender.ts';
import { withNode } from './unexpected-answers.ts';

/** A request on its way to a node; `message` is read only during the call of `send`. */
export interface ClientRequest {
  readonly owner: RequestOwner;
  readonly requestId: number;
  readonly nodeId: number;
  /** Whose connections `nodeId` means. */
  readonly scope: number;
  readonly apiKey: number;
  /** -1: the highest version both sides know. */
  readonly version: number;
  /** -1: requestTimeoutMs. */
  readonly timeoutMs: number;
  readonly message: FlatMessage;
}

export interface ApplicationRequestsParts {
  readonly config: KafkaClientConfig;
  readonly nodes: Nodes;
  readonly sender: RequestSender;
  /** Begins a connection to the node, unless it has one or is backing off. */
  readonly connect: (node: Node | undefined, now: number) => void;
  /** Asks for a round, in which `sendWaiting` is called. */
  readonly wake: () => void;
  /** Default: the codecs of this thread. */
  readonly codecs?: Codecs | undefined;
}

export interface Codecs {
  readonly isLoaded: (apiKey: number) => boolean;
  readonly load: (apiKey: number) => Promise<void>;
}

type Sendable = Pick<ClientRequest, 'owner' | 'requestId' | 'nodeId' | 'apiKey' | 'version' | 'timeoutMs' | 'message'> &
  Pick<OutgoingRequest, 'deadline' | 'throttleAllowanceMs'>;

export class ApplicationRequests {
  readonly #parts: ApplicationRequestsParts;
  readonly #maxInFlight: number;
  readonly #codecs: Codecs;
  /** Nodes at which requests wait, or have waited. */
  readonly #crowded = new Set<Node>();
  /** API keys whose code is being loaded. */
  readonly #loading = new Set<number>();
  /** Why code could not be loaded, by API key, until a request has failed with it. */
  readonly #notLoaded = new Map<number, Error>();

  constructor(parts: ApplicationRequestsParts) {
    this.#parts = parts;
    this.#maxInFlight = parts.config.maxInFlightRequestsPerConnection;
    this.#codecs = parts.codecs ?? { isLoaded: isCodecLoaded, load: loadCodec };
  }

  /** How many requests wait for a place. */
  get waitingCount(): number {
    let count = 0;
    for (const { waiting } of this.#crowded) count += waiting.size;
    return count;
  }

  /**
   * Encodes the request and queues it on its node's connection, or lets it wait. Every failure goes to the owner; `send` throws none.
   */
  send(request: ClientRequest, now: number): void {
    const { nodes, connect } = this.#parts;
    const node = nodes.get(request.nodeId, request.scope);
    const refusal = whyNotSend(node, request.nodeId, Number.POSITIVE_INFINITY, now);
    if (refusal !== null || node === undefined) {
      connect(node, now);
      request.owner.onFailure(request, refusal!, now);
    } else if (node.waiting.size > 0 || this.#isFull(node) || !this.#codecs.isLoaded(request.apiKey)) {
      this.#wait(node, request, now);
    } else {
      this.#sendTo(node, request, now);
    }
  }

  /**
   * Gives free places to the requests that wait. Returns how many were sent. It is called after everybody else had a chance to send:
   * requests of the network thread itself take no place from applications, but applications could take all places from these.
   */
  sendWaiting(now: number): number {
    if (this.#crowded.size === 0) return 0;
    let count = 0;
    for (const node of this.#crowded) {
      while (this.#takesNext(node, now)) {
        this.#sendTo(node, node.waiting.take()!, now);
        count++;
      }
      if (node.waiting.size === 0) this.#crowded.delete(node);
    }
    return count;
  }

  /** The thread has ended: what it has waiting is never sent. */
  forget(owner: RequestOwner, reason: Error, now: number): void {
    for (const { waiting } of this.#crowded) {
      for (const request of waiting.forget(owner)) owner.onFailure(request, reason, now);
    }
  }

  #takesNext(node: Node, now: number): boolean {
    const { next } = node.waiting;
    if (next === undefined || !node.isReady || node.connection.isThrottled(now) || this.#isFull(node)) return false;
    if (this.#codecs.isLoaded(next.apiKey) || this.#notLoaded.has(next.apiKey)) return true;
    this.#load(next.apiKey);
    return false;
  }

  #load(apiKey: number): void {
    if (this.#loading.has(apiKey)) return;
    this.#loading.add(apiKey);
    this.#codecs
      .load(apiKey)
      .catch((error: Error) => this.#notLoaded.set(apiKey, error))
      .then(() => {
        this.#loading.delete(apiKey);
        this.#parts.wake();
      });
  }

  /** Requests of the network thread itself do not count: an application cannot know about them in time. */
  #isFull({ inFlight }: Node): boolean {
    return inFlight.size - inFlight.internalCount >= this.#maxInFlight;
  }

  #wait(node: Node, request: ClientRequest, now: number): void {
    const { owner, requestId, nodeId, apiKey, version } = request;
    const ownCount = node.inFlight.countOf(owner) + node.waiting.countOf(owner);
    if (ownCount >= this.#maxInFlight) {
      owner.onFailure(request, tooManyInFlight(node, nodeId, ownCount, this.#maxInFlight), now);
      return;
    }
    const timeoutMs = request.timeoutMs > 0 ? request.timeoutMs : this.#parts.config.requestTimeoutMs;
    const limits = { timeoutMs, deadline: now + timeoutMs, throttleAllowanceMs: timeoutMs };
    const message = copiedMessage(request.message);
    const isLoaded = this.#codecs.isLoaded(apiKey);
    const waitsFor = isLoaded ? 'a place' : 'code';
    node.waiting.add({ owner, requestId, nodeId, apiKey, version, waitsFor, message, ...limits });
    this.#crowded.add(node);
    if (!isLoaded) this.#load(apiKey);
  }

  #sendTo(node: Node, request: Sendable, now: number): void {
    try {
      const { apiKey } = request;
      const codec = wireCodec(apiKey);
      const cause = this.#notLoaded.get(apiKey);
      if (cause !== undefined) {
        // The next request tries it again.
        this.#notLoaded.delete(apiKey);
        throw new NodeNotReadyError(`the code of ${codec.name} could not be loaded: ${cause.message}`, {
          apiKey,
          cause,
        });
      }
      const version = node.apiVersions!.choose(codec, request.version);
      const { owner, requestId, timeoutMs, deadline, throttleAllowanceMs, message } = request;
      this.#parts.sender.send(
        node,
        { owner, requestId, codec, version, timeoutMs, deadline, throttleAllowanceMs, message },
        now,
      );
    } catch (error) {
      request.owner.onFailure(request, withNode(error, node.id), now);
    }
  }
}
