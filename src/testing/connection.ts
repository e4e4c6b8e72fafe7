// Owns one client's connection to an embedded broker: it handles requests one at a time and in order, as a real broker does, and
// applies the rules to the answers. Runs in the broker's thread.

import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { KafkaClientError } from '../common/errors/errors.ts';
import { HeapMemory, type MessageBytes } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import { Metadata, type MetadataResponse, SaslAuthenticate } from '../protocol/flat/generated/apis.ts';
import { wireCodec } from '../protocol/wire/codecs.ts';
import { decodeRequestHeader, type RequestHeader } from '../protocol/wire/header.ts';
import type { DecodeOptions } from '../protocol/wire/options.ts';
import { WireReader } from '../protocol/wire/wire-reader.ts';
import { apiVersions, unsupportedApiVersions } from './apis/api-versions.ts';
import { handlerOf, loadHandler } from './apis/index.ts';
import type { ClusterNode, ClusterState } from './cluster-state.ts';
import type { Control } from './control.ts';
import { BadFrameError, FrameReader } from './frame-reader.ts';
import type { AnyHandler, HandlerResult, LoginState, RequestContext } from './handler.ts';
import type { VersionRange } from './options.ts';
import { applyWireFault, type OutgoingFrame, type Reply } from './reply.ts';
import { resetSocket } from './reset-socket.ts';
import { Attachments, encodeResponse } from './response-encoder.ts';

/** What a connection needs of its node and cluster. */
export interface ConnectionHost {
  readonly node: ClusterNode;
  readonly cluster: ClusterState;
  readonly control: Control;
  readonly ranges: ReadonlyMap<number, VersionRange>;
  readonly requestMaxBytes: number;
  /** A request has arrived whole. */
  arrived(connection: BrokerConnection, apiKey: number, version: number, correlationId: number): void;
  /** The client sent bytes that a broker does not accept. */
  refused(connection: BrokerConnection, problem: string): void;
  /** The embedded broker, or a rule, is wrong. */
  failed(error: unknown): void;
}

interface DecodedRequest {
  readonly header: RequestHeader;
  readonly handler: AnyHandler;
  readonly body: unknown;
  readonly flat: MessageBytes;
  readonly context: RequestContext;
  readonly attachments: Attachments;
}

// More waiting requests than any client should have in flight: the rest stays with the sender.
const maxWaitingFrames = 256;
const maxWaitingBytes = 32 * 1024 * 1024;
const keptMemoryBytes = 8 * 1024 * 1024;
const decodeOptions: DecodeOptions = { verifyCrc: false, records: 'raw', maxDecompressedBytes: 0 };

const reader = new WireReader();
const flatWriter = new FlatWriter();

export class BrokerConnection {
  readonly id: number;
  readonly nodeId: number;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #frames: Buffer[] = [];
  readonly #onClosed = new Set<() => void>();
  readonly #reader: FrameReader;
  readonly #login: LoginState;
  #waitingBytes = 0;
  #memory = new HeapMemory();
  #isBusy = false;
  #isOpen = true;
  #isEnding = false;
  #isReadingPaused = false;

  constructor(id: number, socket: Socket, host: ConnectionHost) {
    this.id = id;
    this.nodeId = host.node.id;
    this.#socket = socket;
    this.#host = host;
    this.#login = { isDue: (host.ranges.get(SaslAuthenticate.key) ?? null) !== null, hasAskedForVersions: false };
    this.#reader = new FrameReader(host.requestMaxBytes, (frame) => this.#received(frame));
    socket.on('data', (chunk) => this.#push(chunk));
    // A reset by the client, or a write after it has gone, gives an error. The 'close' event follows and is enough.
    socket.on('error', () => {});
    socket.once('close', () => this.#closed());
  }

  /** False from the moment on when the broker ends it. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isEnding;
  }

  /** Ends the connection: FIN after what was written, or RST, which TLS connections have no way to send. */
  close(kind: 'close' | 'reset'): void {
    this.#isEnding = true;
    if (kind === 'close') this.#socket.destroySoon();
    else resetSocket(this.#socket);
  }

  /** While paused nothing is read, and the client's send buffer fills. */
  setReading(isReading: boolean): void {
    this.#isReadingPaused = !isReading;
    this.#regulate();
  }

  #push(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (error instanceof BadFrameError) this.#host.refused(this, error.message);
      else this.#host.failed(error);
      this.#socket.destroy();
      return;
    }
    this.#regulate();
    this.#work();
  }

  #received(frame: Buffer): void {
    this.#host.arrived(this, frame.readInt16BE(0), frame.readInt16BE(2), frame.readInt32BE(4));
    this.#frames.push(frame);
    this.#waitingBytes += frame.length;
  }

  #regulate(): void {
    const isFull = this.#frames.length >= maxWaitingFrames || this.#waitingBytes >= maxWaitingBytes;
    if (isFull || this.#isReadingPaused) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #closed(): void {
    this.#isOpen = false;
    this.#frames.length = 0;
    for (const closed of [...this.#onClosed]) closed();
  }

  /** Handles waiting requests until one of them has to wait itself. */
  #work(): void {
    while (!this.#isBusy && this.isOpen) {
      const frame = this.#frames.shift();
      if (frame === undefined) return;
      this.#waitingBytes -= frame.length;
      this.#regulate();
      try {
        const loading = loadHandler(frame.readInt16BE(0));
        const pending = loading === undefined ? this.#handle(frame) : loading.then(() => this.#handle(frame));
        if (pending === undefined) continue;
        this.#isBusy = true;
        pending.then(
          () => {
            this.#isBusy = false;
            this.#work();
          },
          (error: unknown) => this.#fail(error),
        );
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #fail(error: unknown): void {
    this.#host.failed(error);
    this.#socket.destroy();
  }

  #handle(frame: Buffer): Promise<void> | undefined {
    const request = this.#decode(frame);
    if (request === null) return undefined;
    if (this.#host.control.concerns(request.header.apiKey)) return this.#handleByRule(request);
    const { handler, context, body } = request;
    const result = handler.handle(context, body);
    if (result instanceof Promise) return result.then((answer) => this.#answer(request, answer));
    return this.#answer(request, result);
  }

  /** Null when the request cannot be handled and the connection has been dealt with. */
  #decode(frame: Buffer): DecodedRequest | null {
    const apiKey = frame.readInt16BE(0);
    const version = frame.readInt16BE(2);
    const range = this.#host.ranges.get(apiKey) ?? null;
    const handler = handlerOf(apiKey);
    if (handler === null || range === null || version < range[0] || version > range[1]) {
      this.#refuseVersion(apiKey, version, frame.readInt32BE(4), range);
      return null;
    }
    try {
      const codec = wireCodec(apiKey);
      reader.reset(frame);
      const header = decodeRequestHeader(reader, codec.requestHeaderVersion(version));
      // A rule may keep the body, so it gets its own memory.
      const memory = this.#host.control.concerns(apiKey) ? new HeapMemory() : this.#reusableMemory();
      flatWriter.reset(memory);
      codec.decodeRequest(reader, flatWriter, version, decodeOptions);
      // First, since it may move the message.
      const byteLength = flatWriter.finish();
      const flat = { i32: memory.i32, u8: memory.u8, base: 0, byteLength };
      const body = handler.api.readRequest(new FlatMessage(flat));
      const attachments = new Attachments();
      return { header, handler, body, flat, attachments, context: this.#context(header, attachments) };
    } catch (error) {
      if (!(error instanceof KafkaClientError)) throw error;
      this.#host.refused(this, error.message);
      this.#socket.destroy();
      return null;
    }
  }

  #reusableMemory(): HeapMemory {
    if (this.#memory.capacity > keptMemoryBytes) this.#memory = new HeapMemory();
    return this.#memory;
  }

  /** ApiVersions of any version is answered so that clients can step down; everything else ends the connection. */
  #refuseVersion(apiKey: number, version: number, correlationId: number, range: VersionRange): void {
    if (apiKey === apiVersions.api.key && range !== null) {
      const answer = unsupportedApiVersions(this.#host.ranges);
      for (const chunk of encodeResponse(apiVersions.api, 0, correlationId, answer, new Attachments())) {
        this.#socket.write(chunk);
      }
      return;
    }
    this.#host.refused(this, `API key ${apiKey} version ${version} is not spoken here`);
    this.#socket.destroy();
  }

  #context(header: RequestHeader, attachments: Attachments): RequestContext {
    const { node, cluster, ranges } = this.#host;
    return {
      cluster,
      node,
      version: header.apiVersion,
      clientId: header.clientId,
      ranges,
      login: this.#login,
      attach: (slices) => attachments.add(slices),
      onClosed: (closed) => this.#whenClosed(closed),
    };
  }

  #whenClosed(closed: () => void): () => void {
    this.#onClosed.add(closed);
    return () => this.#onClosed.delete(closed);
  }

  async #handleByRule(request: DecodedRequest): Promise<void> {
    const { header, handler, context, body, flat } = request;
    const { apiKey, apiVersion: version, correlationId, clientId } = header;
    const { control } = this.#host;
    const seen = { nodeId: this.nodeId, connectionId: this.id, apiKey, version, correlationId, clientId, body, flat };
    const reply = await control.decide(seen);
    if (reply === undefined) {
      await this.#answer(request, await handler.handle(context, body));
      return;
    }
    if (reply.delayMs !== undefined) await this.#delay(reply.delayMs);
    if (reply.holdUntil !== undefined) await this.#hold(reply.holdUntil);
    if (reply.answer === 'close' || reply.answer === 'reset') {
      this.close(reply.answer);
      return;
    }
    const answer = await this.#result(request, reply);
    if (reply.holdAnswerUntil !== undefined) await this.#hold(reply.holdAnswerUntil);
    if (reply.answer === 'closeAfter') this.close('close');
    else if (reply.answer === 'resetAfter') this.close('reset');
    else if (reply.answer !== 'never') await this.#answer(request, answer, reply);
  }

  #result(request: DecodedRequest, reply: Reply): HandlerResult<object> | Promise<HandlerResult<object>> {
    const { handler, context, body } = request;
    if (reply.body !== undefined) {
      if (request.header.apiKey === Metadata.key) this.#noteClusterId(reply.body);
      return reply.body;
    }
    if (reply.errorCode !== undefined) return handler.failure(context, body, reply.errorCode);
    // Bytes that replace the whole answer need none, and an API that is not served has none.
    if (reply.wire?.rawBytes !== undefined) return {};
    return handler.handle(context, body);
  }

  #noteClusterId({ clusterId }: MetadataResponse): void {
    if (typeof clusterId === 'string') this.#host.cluster.clusterIds.add(clusterId);
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        forgetTime();
        forgetEnd();
        resolve();
      };
      const forgetTime = this.#host.cluster.clock.after(ms, go);
      const forgetEnd = this.#whenClosed(go);
    });
  }

  #hold(gate: string): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    return this.#host.control.hold(gate, (abandon) => this.#whenClosed(abandon));
  }

  #answer(request: DecodedRequest, result: HandlerResult<object>, reply: Reply = {}): Promise<void> | undefined {
    if (result === 'close') this.close('close');
    if (result === null || result === 'close' || !this.#isOpen) return undefined;
    const { header, handler, attachments } = request;
    if (header.apiKey === SaslAuthenticate.key && isSuccess(result)) this.#login.isDue = false;
    const { throttleTimeMs, wire, version = header.apiVersion } = reply;
    const body = throttleTimeMs === undefined ? result : { ...result, throttleTimeMs };
    const chunks = encodeResponse(handler.api, version, header.correlationId, body, attachments);
    if (wire !== undefined) return this.#writeFaulty(applyWireFault(chunks, wire));
    return this.#write(chunks);
  }

  /** Undefined if the socket took all bytes. A wait is needed only if the client reads slowly. */
  #write(chunks: readonly Buffer[]): Promise<void> | undefined {
    const socket = this.#socket;
    socket.cork();
    let isTaken = true;
    for (const chunk of chunks) isTaken = socket.write(chunk);
    socket.uncork();
    return isTaken || socket.destroyed ? undefined : this.#drained();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#socket.off('drain', go);
        forget();
        resolve();
      };
      const forget = this.#whenClosed(go);
      this.#socket.on('drain', go);
    });
  }

  async #writeFaulty(frame: OutgoingFrame): Promise<void> {
    if (frame.trickle === null) {
      await this.#write(frame.chunks);
    } else {
      const { bytes, ms } = frame.trickle;
      const whole = Buffer.concat(frame.chunks);
      for (let at = 0; at < whole.length && this.#isOpen; at += bytes) {
        await this.#write([whole.subarray(at, at + bytes)]);
        await (ms > 0 ? delay(ms) : nextTurn());
      }
    }
    if (frame.cut === 'close') this.close('close');
    // RST drops bytes that were not sent yet, so it waits for the bytes before it.
    if (frame.cut === 'reset') this.#socket.write('', () => this.close('reset'));
    if (frame.cut !== null) this.#isEnding = true;
  }
}

/** A step of a login that was let in; the last one when the client goes on to other requests. */
function isSuccess(answer: object): boolean {
  return !('errorCode' in answer) || answer.errorCode === 0;
}
