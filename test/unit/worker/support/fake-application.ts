// Owns the application end of an attachment in tests of the network thread: posts by the real network proxy, reads raw
// frames, and keeps account of every request, so that one settled twice or never is noticed. Test thread.

import assert from 'node:assert/strict';
import type { KafkaClientError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { NetworkProxy } from '../../../../src/main/link/network-proxy.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { Metadata, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponseView } from '../../../../src/protocol/flat/generated/metadata.ts';
import type { ApplicationEnd } from '../../../../src/ring/attachment.ts';
import {
  takeFailure,
  takeMetadata,
  takePolled,
  takeResponse,
  takeSent,
} from '../../../../src/ring/frames/client-frames.ts';
import { FAILURE, METADATA, POLLED, RESPONSE, SENT } from '../../../../src/ring/frames/kinds.ts';
import { OwnedBytes } from '../../../../src/ring/owned-bytes.ts';
import { NODE_CONNECTED } from '../../../../src/state/counters.ts';

const noBytes = new OwnedBytes(new Int32Array(0), new Uint8Array(0), 0, 0);

export class SentRequest<Response = unknown> {
  readonly requestId: number;
  readonly nodeId: number;
  readonly api: Api<never, Response>;
  /** How much had arrived when it was sent: entries of the log. */
  readonly sentAfter: number;
  /** Nothing will answer it, and it is in flight nowhere. */
  readonly isOneWay: boolean;
  state: 'open' | 'succeeded' | 'failed' = 'open';
  /** Null for a Produce with acks 0. */
  response: Response | null = null;
  /** What it failed with; throws unless it failed. */
  #error: Error | null = null;

  constructor(
    requestId: number,
    nodeId: number,
    api: Api<never, Response>,
    { sentAfter, isOneWay }: { sentAfter: number; isOneWay: boolean },
  ) {
    this.sentAfter = sentAfter;
    this.isOneWay = isOneWay;
    this.requestId = requestId;
    this.nodeId = nodeId;
    this.api = api;
  }

  get error(): KafkaClientError {
    if (this.#error === null) assert.fail(`request ${this.requestId} is ${this.state}, it has not failed`);
    return this.#error as KafkaClientError;
  }

  fail(error: Error): void {
    this.state = 'failed';
    this.#error = error;
  }

  /** The view of the response; throws unless there is one. */
  get view(): Response {
    if (this.state === 'failed') throw this.#error;
    assert.equal(this.state, 'succeeded', `request ${this.requestId}`);
    return this.response!;
  }
}

export class FakeApplication {
  readonly end: ApplicationEnd;
  readonly proxy: NetworkProxy;
  /** False: the response link is left alone, and fills. */
  isReading = true;
  /** Every request posted, oldest first. */
  readonly sent: SentRequest[] = [];
  /** Every metadata refresh that arrived. */
  readonly metadata: { updateId: number; view: MetadataResponseView }[] = [];
  /** Ids of polls answered. */
  readonly polled: number[] = [];
  /** What arrived, in order: `response 3`, `failure 4`, `polled 1`, `metadata 1`. */
  readonly log: string[] = [];
  readonly #open = new Map<number, SentRequest>();
  #nextRequestId = 1;

  constructor(end: ApplicationEnd) {
    this.end = end;
    this.proxy = new NetworkProxy(end);
  }

  /** Posts a request; throws when the link is full. */
  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    { version = -1, timeoutMs = -1 } = {},
  ): SentRequest<Response> {
    const sent = new SentRequest<Response>(this.#nextRequestId++, nodeId, api as Api<never, Response>, {
      sentAfter: this.log.length,
      isOneWay: api.key === Produce.key && (request as { acks?: number }).acks === 0,
    });
    const refusal = this.proxy.send(sent.requestId, nodeId, api, request, version, timeoutMs);
    if (refusal !== null) throw refusal;
    this.sent.push(sent as SentRequest);
    this.#open.set(sent.requestId, sent as SentRequest);
    return sent;
  }

  connect(nodeId: number): void {
    assert.ok(this.proxy.connect(nodeId));
  }

  disconnect(nodeId: number): void {
    this.proxy.disconnect(nodeId);
  }

  poll(pollId: number): void {
    assert.ok(this.proxy.poll(pollId));
  }

  get accepted(): number {
    return this.sent.length;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Those of them that a response will end. */
  get awaitingResponse(): number {
    let count = 0;
    for (const { isOneWay } of this.#open.values()) if (!isOneWay) count++;
    return count;
  }

  count(state: SentRequest['state']): number {
    return this.sent.filter((request) => request.state === state).length;
  }

  isConnected(nodeId: number): boolean {
    const { counters } = this.end;
    return counters.nodeState(counters.nodeRow(nodeId)) === NODE_CONNECTED;
  }

  nodeState(nodeId: number): number {
    const { counters } = this.end;
    return counters.nodeState(counters.nodeRow(nodeId));
  }

  /** Reads at most `limit` frames, and tells the writer as the real reader does. Returns how many there were. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    const { responses } = this.end;
    let count = 0;
    while (count < limit && responses.next()) {
      this.#take();
      count++;
    }
    if (count > 0 && responses.isWriterWaiting) this.end.networkDoorbell.notify();
    return count;
  }

  #take(): void {
    const { responses } = this.end;
    switch (responses.kind) {
      case POLLED: {
        const pollId = takePolled(responses);
        this.polled.push(pollId);
        this.log.push(`polled ${pollId}`);
        break;
      }
      case METADATA: {
        const { updateId, body } = takeMetadata(responses);
        this.metadata.push({ updateId, view: Metadata.readResponse(new FlatMessage(body)) });
        this.log.push(`metadata ${updateId}`);
        break;
      }
      case RESPONSE: {
        const { requestId, body } = takeResponse(responses, { requestId: 0, body: noBytes });
        const request = this.#succeeded(requestId);
        request.response = request.api.readResponse(new FlatMessage(body));
        break;
      }
      case SENT:
        this.#succeeded(takeSent(responses));
        break;
      case FAILURE: {
        const { requestId, nodeId, error } = takeFailure(responses);
        const request = this.#settle(requestId);
        assert.equal(nodeId, request.nodeId, 'node named by the frame');
        request.fail(fromPlainError(error));
        this.log.push(`failure ${requestId}`);
        break;
      }
      default:
        assert.fail(`frame of kind ${responses.kind}`);
    }
  }

  #succeeded(requestId: number): SentRequest {
    const request = this.#settle(requestId);
    request.state = 'succeeded';
    this.log.push(`response ${requestId}`);
    return request;
  }

  #settle(requestId: number): SentRequest {
    const request = this.#open.get(requestId);
    assert.ok(request !== undefined, `request ${requestId} was settled twice, or never posted`);
    this.#open.delete(requestId);
    return request;
  }
}
