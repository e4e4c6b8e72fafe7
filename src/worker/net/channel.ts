// Owns one connection: its transport, its send queue, the bytes that it has received, and the state of its handshake. Network
// thread. Must not decide when to connect or what to send: worker/client does. Socket callbacks only move bytes, mark the
// channel and ask for a round.

import { KafkaConnectionError } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { maxInt32 } from '../../common/numbers.ts';
import type { ConnectionLogin } from './connection-login.ts';
import type { FrameMemory } from './frame-memory.ts';
import { OneWaySends } from './one-way-sends.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { OneWayFrame, type OutgoingFrame, type ReservedSend, SendQueue } from './send-queue.ts';
import { isFullAdvice, type OpenTransport, type Transport, type TransportTarget } from './transport.ts';

/**
 * The states of a connection. The TLS handshake is a part of CONNECTING: a transport is open when it is secure. SASL is
 * AUTHENTICATING, which follows API_VERSIONS when the security protocol needs it.
 *
 *   CONNECTING -> API_VERSIONS -> (AUTHENTICATING ->) READY -> CLOSED; every state may go to CLOSED
 */
export const ChannelState = {
  CONNECTING: 0,
  API_VERSIONS: 1,
  AUTHENTICATING: 2,
  READY: 3,
  CLOSED: 4,
} as const;
export type ChannelState = (typeof ChannelState)[keyof typeof ChannelState];

/** Frames are small until a connection is ready. A peer that announces a bigger one before that is not a Kafka broker. */
const maxFrameBytesBeforeReady = 512 * 1024;

/** Reads go here when there is no memory for them. The connection is then closed. */
const lastMemory = Buffer.allocUnsafeSlow(1024);

/** Is told that a channel has something for the next round. */
export interface ChannelListener {
  onMarked(channel: Channel): void;
}

/** A position in the send queue. It tells whether everything queued before it has left the process. */
export interface WriteMark {
  /** The value of `Channel.bytesSent` when the socket got the last of these bytes. Infinity before that. */
  position: number;
}

export interface ChannelOptions {
  readonly nodeId: number;
  readonly target: TransportTarget;
  readonly receiveMessageMaxBytes: number;
  readonly frames: FrameMemory;
  readonly openTransport: OpenTransport;
  readonly listener: ChannelListener;
}

export class Channel {
  readonly nodeId: number;
  readonly target: TransportTarget;
  readonly received: ReceiveBuffer;
  state: ChannelState = ChannelState.CONNECTING;
  /** The listener sets it while the channel waits for the next round. */
  isMarked = false;
  /** The transport was opened since the last round. */
  hasConnected = false;
  /** The transport has ended; `endError` says why, if there is an error. Frames received before that must still be handled. */
  hasEnded = false;
  endError: Error | null = null;
  /** Total of bytes read from the socket. */
  bytesReceived = 0;
  bytesSent = 0;
  /** The login, once it has begun. It is kept, because it may have to be repeated. */
  authentication: ConnectionLogin | null = null;
  /** Frames are tokens of the login, without a header: this is so after SaslHandshake 0. */
  isBare = false;
  /** Requests without response that are still in this process. */
  readonly oneWay = new OneWaySends();
  /** The time, in ms, at which the channel was muted; -1: it is not muted. A muted channel's frames are not taken, and its socket is not read. */
  mutedSince = -1;
  /** The time, in ms, since which a big frame waits for memory, so that the socket is not read; -1: none waits. */
  starvedSince = -1;
  /** 0 before the first request. Ids begin at 1. */
  lastCorrelationId = 0;

  readonly #listener: ChannelListener;
  readonly #receiveMessageMaxBytes: number;
  readonly #transport: Transport;
  readonly #sends = new SendQueue();
  /** Requests that wait until a repeated login has ended. */
  #held: SendQueue | null = null;
  /** The key is the last piece of bytes before the mark. */
  readonly #marks = new Map<Uint8Array, WriteMark>();
  #isBlocked = false;
  #isPaused = false;

  constructor(options: ChannelOptions) {
    this.nodeId = options.nodeId;
    this.target = options.target;
    this.#listener = options.listener;
    this.#receiveMessageMaxBytes = options.receiveMessageMaxBytes;
    this.received = new ReceiveBuffer(
      options.frames,
      Math.min(maxFrameBytesBeforeReady, options.receiveMessageMaxBytes),
      () => this.#mark(),
    );
    this.#transport = options.openTransport(options.target, {
      onConnect: () => {
        this.hasConnected = true;
        this.#mark();
      },
      memoryForRead: () => this.#memoryForRead(),
      onRead: (memory, byteCount) => this.#onRead(memory, byteCount),
      onDrain: () => {
        this.#isBlocked = false;
        this.oneWay.drained();
        this.#mark();
      },
      onClose: (error) => {
        if (!this.hasEnded) this.endError = error;
        this.hasEnded = true;
        this.#mark();
      },
    });
  }

  get isReady(): boolean {
    return this.state === ChannelState.READY;
  }

  /** The peer has not yet taken what was written, or a login is being repeated. */
  get isBlocked(): boolean {
    return this.#isBlocked || this.#held !== null;
  }

  /** The connection ended after the version exchange began. Some old brokers answer in this way. */
  get mayHaveBeenAnswered(): boolean {
    return this.state === ChannelState.API_VERSIONS && !(this.endError instanceof KafkaConnectionError);
  }

  get isMuted(): boolean {
    return this.mutedSince >= 0;
  }

  /** This side does not read, so what it waits for may be there. Nothing is overdue meanwhile. */
  get isUnread(): boolean {
    return this.mutedSince >= 0 || this.starvedSince >= 0;
  }

  /** The id of the next request. Ids begin at 1 on each connection and have 31 bits. */
  nextCorrelationId(): number {
    this.lastCorrelationId = this.lastCorrelationId === maxInt32 ? 1 : this.lastCorrelationId + 1;
    return this.lastCorrelationId;
  }

  becomeReady(): void {
    this.state = ChannelState.READY;
    this.received.maxFrameBytes = this.#receiveMessageMaxBytes;
  }

  /** Queues one whole request. `flush` writes it to the socket. */
  enqueue(frame: OutgoingFrame): void {
    (this.#held ?? this.#sends).push(frame);
    this.#mark();
  }

  /** Queues one whole request in pieces. The pieces must not be changed until `isWritten` returns true or the channel is closed. */
  enqueuePieces(pieces: readonly Uint8Array[]): WriteMark {
    for (const piece of pieces) this.enqueue(piece);
    return this.markBehind(pieces.at(-1)!);
  }

  /** A mark behind bytes that are queued in this turn. */
  markBehind(bytes: Uint8Array): WriteMark {
    const mark = { position: Number.POSITIVE_INFINITY };
    this.#marks.set(bytes, mark);
    return mark;
  }

  /** Whether everything before the mark has left the process. Its memory may then be changed. */
  isWritten(mark: WriteMark): boolean {
    return this.state === ChannelState.CLOSED || mark.position <= this.bytesSent - this.#transport.unsentBytes;
  }

  /** Queues one whole request that goes before the held ones. */
  enqueueAhead(bytes: Uint8Array): void {
    this.#sends.push(bytes);
    this.#mark();
  }

  /** Holds back the requests that are queued from now on, until `release`. */
  hold(): void {
    this.#held ??= new SendQueue();
  }

  release(): void {
    if (this.#held === null) return;
    this.#sends.append(this.#held);
    this.#held = null;
    this.#mark();
  }

  /** @param isBare true: frames are bare tokens from now on, which may be empty; false: they are Kafka's again */
  receiveBareTokens(isBare: boolean): void {
    this.isBare = isBare;
    this.received.minFrameBytes = isBare ? 0 : 4;
  }

  /** Keeps a place in the queue for a request that is being encoded elsewhere. */
  reserve(): ReservedSend {
    return (this.#held ?? this.#sends).reserve(() => this.#mark());
  }

  /** Bytes that are queued, or that the socket has and could not write. */
  get unsentBytes(): number {
    return this.#sends.byteLength + (this.#held?.byteLength ?? 0) + this.#transport.unsentBytes;
  }

  get hasQueuedSends(): boolean {
    return !this.#sends.isEmpty || this.#held?.isEmpty === false;
  }

  /** Writes queued requests to the socket until the socket's buffer is full. Returns how many were written. */
  flush(now: number): number {
    if (this.#isBlocked || this.state === ChannelState.CONNECTING || this.state === ChannelState.CLOSED) return 0;
    const queue = this.#sends.take();
    const count = queue.length;
    if (count === 0) return 0;
    if (count > 1) this.#transport.cork();
    for (let i = 0; i < count; i++) {
      const frame = queue[i]!;
      const bytes = frame instanceof OneWayFrame ? frame.bytes : frame;
      this.bytesSent += bytes.length;
      this.#isBlocked = !this.#transport.write(bytes);
      if (this.#marks.size > 0) this.#handedOver(bytes);
      if (frame instanceof OneWayFrame) this.oneWay.settle(frame.send, now);
    }
    if (count > 1) this.#transport.uncork();
    if (!this.hasQueuedSends) this.oneWay.handedOver(this.#isBlocked);
    return count;
  }

  #handedOver(bytes: Uint8Array): void {
    const mark = this.#marks.get(bytes);
    if (mark === undefined) return;
    mark.position = this.bytesSent;
    this.#marks.delete(bytes);
  }

  mute(now: number): void {
    if (this.mutedSince < 0) this.mutedSince = now;
  }

  /** Ends the mute. Returns how long it lasted, in ms. */
  unmute(now: number): number {
    const lasted = this.mutedSince < 0 ? 0 : now - this.mutedSince;
    this.mutedSince = -1;
    return lasted;
  }

  /** Notes whether a big frame waits for memory. Returns for how long one waited, in ms, if none does any more. */
  noteStarved(now: number): number {
    const since = this.starvedSince;
    if (this.received.waitsForMemory) {
      if (since < 0) this.starvedSince = now;
      return 0;
    }
    this.starvedSince = -1;
    return since < 0 ? 0 : now - since;
  }

  /** Reads from the socket again after frames were consumed. */
  resumeReading(): void {
    if (!this.#isPaused || this.received.isFull) return;
    this.#isPaused = false;
    this.#transport.resume();
  }

  /** The reason why the connection ended, with advice for the user. */
  describeEnd(): Error {
    // The transport knows the reason already.
    if (this.endError instanceof KafkaConnectionError) {
      return withNodeId(this.endError, this.nodeId);
    }
    const where = `${this.target.address}:${this.target.port}`;
    if (this.state === ChannelState.AUTHENTICATING) return this.authentication!.describeEnd(where, this.endError);
    const advice = this.#isUnanswered ? `; it may expect TLS, ${isFullAdvice}, or not be a Kafka broker` : '';
    let seen = `${where} closed the connection`;
    if (this.endError !== null) {
      const verb = this.state === ChannelState.CONNECTING ? 'connection to' : 'connection with';
      seen = `${verb} ${where} failed: ${this.endError.message}`;
    } else if (this.state === ChannelState.API_VERSIONS) {
      seen += advice === '' ? ' during the version exchange' : ' before it answered ApiVersions';
    }
    return new KafkaConnectionError(`${seen}${advice}`, { cause: this.endError ?? undefined, nodeId: this.nodeId });
  }

  /** What a connection attempt waits for. Null when there is nothing to add. */
  describeWait(): string | null {
    if (this.state !== ChannelState.API_VERSIONS) return this.#transport.describeWait?.() ?? null;
    return this.#isUnanswered
      ? 'connected, but no answer to ApiVersions so far; it may expect TLS, have all the connections it takes (max.connections), or not be a Kafka broker'
      : 'connected, but the version exchange has not ended so far';
  }

  get #isUnanswered(): boolean {
    return this.state === ChannelState.API_VERSIONS && this.bytesReceived === 0;
  }

  close(): void {
    this.state = ChannelState.CLOSED;
    this.#sends.clear();
    this.#held = null;
    this.#marks.clear();
    this.#transport.destroy();
    this.received.dispose();
  }

  #memoryForRead(): Buffer {
    try {
      return this.received.memoryForRead();
    } catch (error) {
      this.#failed(error);
      return lastMemory;
    }
  }

  /** There is no memory for the bytes that arrive. Only this connection ends. */
  #failed(cause: unknown): void {
    this.hasEnded = true;
    const text = `bytes from ${this.target.address}:${this.target.port} cannot be received: ${(cause as Error).message}`;
    this.endError = cause instanceof KafkaConnectionError ? cause : new KafkaConnectionError(text, { cause });
    this.#mark();
  }

  #onRead(memory: Uint8Array, byteCount: number): boolean {
    if (this.hasEnded) return false;
    this.bytesReceived += byteCount;
    try {
      this.received.received(memory, byteCount);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    // A big frame comes in many reads. A round for each of them would find nothing.
    if (!this.received.isInsideFrame) this.#mark();
    this.#isPaused = this.received.isFull;
    return !this.#isPaused;
  }

  #mark(): void {
    if (!this.isMarked) this.#listener.onMarked(this);
  }
}
