// Owns the way of a request from its flat form into a connection's send queue. The request is encoded here, or in the
// codec pool if there is much to compress; the order of requests stays. Network thread. Must not choose nodes or
// versions.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { InvalidRequestError, NodeNotReadyError } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import type { WireCodec } from '../../protocol/wire/codecs.ts';
import type { EncodeOptions } from '../../protocol/wire/options.ts';
import { CodecTaskNeeded } from '../../protocol/wire/records/codec-task-needed.ts';
import { maxCopiedBytes, WireWriter } from '../../protocol/wire/wire-writer.ts';
import type { Channel, WriteMark } from '../net/channel.ts';
import type { OneWaySend } from '../net/one-way-sends.ts';
import type { SendMemory } from '../net/send-memory.ts';
import { OneWayFrame } from '../net/send-queue.ts';
import type { RequestReport } from '../report/request-report.ts';
import type { CodecPool } from '../requests/codec-pool.ts';
import { encodeFrame, encodeHead, type FrameHeader } from '../requests/encode.ts';
import { copyOf } from '../requests/flat-copy.ts';
import type { InFlightRequest, RequestOwner } from '../requests/request-owner.ts';
import type { Node } from './node.ts';
import { RequestMemory } from './request-memory.ts';

/** A request whose node and version are chosen. */
export interface OutgoingRequest {
  readonly owner: RequestOwner;
  readonly requestId: number;
  readonly codec: WireCodec;
  readonly version: number;
  /** -1: requestTimeoutMs. */
  readonly timeoutMs: number;
  /** Of a request that has waited for a place: when its time is over. Default: when its timeout has passed. */
  readonly deadline?: number | undefined;
  /** How far throttling may still move the deadline. Default: by the timeout. */
  readonly throttleAllowanceMs?: number | undefined;
  /** Read during the call only. */
  readonly message: FlatMessage;
  /** It is written and answered before requests that the channel holds back. */
  readonly isAhead?: boolean;
}

const encodedHere: EncodeOptions = {};
/** The codec pool does all compression. */
const compressedInPool: EncodeOptions = { maxInlineBytes: 0 };

export class RequestSender {
  readonly #config: KafkaClientConfig;
  readonly #pool: CodecPool;
  readonly #report: RequestReport;
  readonly #sends: SendMemory;
  readonly #writer = new WireWriter();
  /** For large requests. */
  readonly memory = new RequestMemory();

  constructor(config: KafkaClientConfig, pool: CodecPool, report: RequestReport, sends: SendMemory) {
    this.#sends = sends;
    this.#config = config;
    this.#pool = pool;
    this.#report = report;
  }

  /**
   * Queues the request on the node's connection. Throws: InvalidRequestError, NodeNotReadyError; then nothing was
   * queued.
   */
  send(node: Node, request: OutgoingRequest, now: number): void {
    const channel = node.channel!;
    const { codec, version, message } = request;
    const expectsResponse = codec.apiKey !== Produce.key || Produce.readRequest(message).acks !== 0;
    if (!expectsResponse && node.isHeldBack) throw peerDoesNotRead(node);
    // What this client asks itself is small, and has limits of its own.
    if (!request.owner.isInternal && !this.#sends.takes(message.byteLength)) throw this.#sendsAreFull(node);
    const correlationId = channel.nextCorrelationId();
    const header: FrameHeader = { apiKey: codec.apiKey, version, correlationId, clientId: this.#config.clientId };
    const inFlight = this.#inFlight(node, request, correlationId, now);
    const oneWay = expectsResponse ? null : this.#oneWaySend(inFlight);
    try {
      const { length } = this.#encode(channel, header, request, oneWay);
      this.#report.sent(node, inFlight, length);
      if (oneWay !== null) channel.oneWay.add(length, inFlight.deadline);
    } catch (error) {
      if (!(error instanceof CodecTaskNeeded)) throw error;
      this.#encodeInPool(node, channel, header, message, inFlight, oneWay);
    }
    if (oneWay === null) {
      if (request.isAhead) node.inFlight.addFirst(inFlight);
      else node.inFlight.add(inFlight);
      node.publish(now);
      return;
    }
    channel.oneWay.expect(oneWay);
    // There will be no response that shows that this connection is in use.
    node.lastActiveAt = now;
    node.publishHeldBack();
  }

  /** Encodes the request in this thread and queues its frame. Throws: InvalidRequestError, CodecTaskNeeded. */
  #encode(
    channel: Channel,
    header: FrameHeader,
    { codec, message, isAhead }: OutgoingRequest,
    oneWay: OneWaySend | null,
  ): Buffer {
    const { byteLength } = message;
    const memory = byteLength > maxCopiedBytes ? this.memory.take(byteLength) : undefined;
    let isLent = false;
    try {
      const frame = encodeFrame(this.#writer, header, message, this.#optionsFor(message), memory);
      const tooLarge = this.#whyTooLarge(codec, frame.length);
      if (tooLarge !== null) throw tooLarge;
      isLent = memory !== undefined && frame.buffer === memory.buffer;
      if (isLent) this.memory.lend(memory!, channel, channel.markBehind(frame));
      if (isAhead) channel.enqueueAhead(frame);
      else channel.enqueue(oneWay === null ? frame : new OneWayFrame(frame, oneWay));
      return frame;
    } finally {
      if (memory !== undefined && !isLent) this.memory.giveBack(memory);
    }
  }

  /**
   * The same for a request whose body is in wire format already. Its pieces go to the socket without a copy, and may
   * be written to again when the returned mark says so. A request without response is copied, and no mark is
   * returned.
   */
  sendBody(
    node: Node,
    request: Omit<OutgoingRequest, 'message'>,
    pieces: readonly Uint8Array[],
    expectsResponse: boolean,
    now: number,
  ): WriteMark | null {
    if (!expectsResponse && node.isHeldBack) throw peerDoesNotRead(node);
    const channel = node.channel!;
    const { codec, version } = request;
    const correlationId = channel.nextCorrelationId();
    const header = { apiKey: codec.apiKey, version, correlationId, clientId: this.#config.clientId };
    const bodyBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    const head = encodeHead(this.#writer, header, bodyBytes);
    const inFlight = this.#inFlight(node, request, correlationId, now);
    this.#report.sent(node, inFlight, head.length + bodyBytes);
    if (expectsResponse) {
      const mark = channel.enqueuePieces([head, ...pieces]);
      node.inFlight.add(inFlight);
      node.publish(now);
      return mark;
    }
    const oneWay = this.#oneWaySend(inFlight);
    channel.enqueue(new OneWayFrame(Buffer.concat([head, ...pieces]), oneWay));
    channel.oneWay.add(head.length + bodyBytes, inFlight.deadline);
    channel.oneWay.expect(oneWay);
    node.lastActiveAt = now;
    node.publishHeldBack();
    return null;
  }

  #sendsAreFull(node: Node): NodeNotReadyError {
    const { usedBytes, maxBytes } = this.#sends;
    const text = `${usedBytes} bytes of requests wait for brokers that do not read, the limit is requestRingBytes + spillBudgetBytes (${maxBytes})`;
    return new NodeNotReadyError(text, { nodeId: node.id });
  }

  /** A broker would close the connection over it, and what else is on that would be lost, too. */
  #whyTooLarge({ name, apiKey }: WireCodec, frameBytes: number): InvalidRequestError | null {
    const { maxRequestSizeBytes } = this.#config;
    const byteCount = frameBytes - 4;
    if (byteCount <= maxRequestSizeBytes) return null;
    return new InvalidRequestError(
      `${name} of ${byteCount} bytes is larger than maxRequestSizeBytes (${maxRequestSizeBytes}): send less at once; or raise that, and socket.request.max.bytes of the brokers with it`,
      { apiKey },
    );
  }

  /** If the pool is full, this thread does the work, which slows down whoever sends so much. */
  #optionsFor({ byteLength }: FlatMessage): EncodeOptions {
    const isForPool = this.#pool.isEnabled && byteLength > this.#config.codecPoolThresholdBytes;
    return isForPool && this.#pool.hasRoom(byteLength) ? compressedInPool : encodedHere;
  }

  /** Reserves the request's place in the send queue while a pool thread encodes it. */
  #encodeInPool(
    node: Node,
    channel: Channel,
    header: FrameHeader,
    message: FlatMessage,
    inFlight: InFlightRequest,
    oneWay: OneWaySend | null,
  ): void {
    const place = channel.reserve();
    this.#pool.encode({ kind: 'encode', flat: copyOf(message), header }, (encoded, now) => {
      const isEncoded = !(encoded instanceof Error);
      const outcome = isEncoded ? (this.#whyTooLarge(inFlight.codec, encoded.usedBytes) ?? encoded) : encoded;
      if (outcome instanceof Error) {
        place.drop();
        // If the connection ended meanwhile, the request is settled already.
        const isOpen = oneWay === null ? node.inFlight.remove(inFlight) : channel.oneWay.drop(oneWay);
        if (isOpen) this.#failed(inFlight, withNodeId(outcome, node.id), now);
        node.publish(now);
      } else if (node.channel === channel) {
        const frame = new Uint8Array(outcome.buffer, 0, outcome.usedBytes);
        place.fill(oneWay === null ? frame : new OneWayFrame(frame, oneWay));
        this.#report.sent(node, inFlight, outcome.usedBytes);
        if (oneWay !== null) channel.oneWay.add(outcome.usedBytes, inFlight.deadline);
      }
    });
  }

  #inFlight(
    node: Node,
    request: Omit<OutgoingRequest, 'message'>,
    correlationId: number,
    now: number,
  ): InFlightRequest {
    const { owner, requestId, codec, version } = request;
    const timeoutMs = request.timeoutMs > 0 ? request.timeoutMs : this.#config.requestTimeoutMs;
    const { deadline = now + timeoutMs, throttleAllowanceMs = timeoutMs } = request;
    const channel = node.channel!;
    return {
      owner,
      requestId,
      nodeId: node.id,
      nodeKey: node.key,
      channel,
      codec,
      version,
      timeoutMs,
      sentAt: now,
      correlationId,
      deadline,
      throttleAllowanceMs,
      requestBytes: 0,
    };
  }

  /** Tells the owner of a request without response what became of it. */
  #oneWaySend(request: InFlightRequest): OneWaySend {
    return {
      onHandedOver: (now) => {
        this.#report.handedOver(request, now);
        request.owner.onSentWithoutResponse(request, now);
      },
      onFailure: (error, now) => this.#failed(request, error, now),
    };
  }

  #failed(request: InFlightRequest, error: Error, now: number): void {
    this.#report.failed(request, error, now);
    request.owner.onFailure(request, error, now);
  }
}

function peerDoesNotRead(node: Node): NodeNotReadyError {
  const bytes = node.channel!.oneWay.unwrittenBytes;
  const text = `${node.name} does not read: ${bytes} bytes of requests with acks 0 wait for it, the limit is requestRingBytes`;
  return new NodeNotReadyError(text, { nodeId: node.id });
}
