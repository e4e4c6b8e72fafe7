// Owns one connection: its transport, its send queue, what it has received, and how far its handshake is. Network
// thread. Must not decide when to connect or what to send: that is network-client.ts. Socket callbacks only move bytes,
// mark the channel and ask for a turn.

import { KafkaConnectionError } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import type { ConnectionLogin } from './connection-login.ts';
import type { FrameMemory } from './frame-memory.ts';
import { OneWaySends } from './one-way-sends.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { OneWayFrame, type OutgoingFrame, type ReservedSend, SendQueue } from './send-queue.ts';
import { isFullAdvice, type OpenTransport, type Transport, type TransportTarget } from './transport.ts';

/**
 * The life of a connection. TLS belongs to CONNECTING (a transport is open once it is secure); SASL is AUTHENTICATING,
 * entered from API_VERSIONS when the security protocol asks for it.
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

/** Frames are small until a connection is ready: whoever claims more then is not a Kafka broker. */
const maxFrameBytesBeforeReady = 512 * 1024;

/** Where reads go once there is no memory for them, and the connection is about to be closed. */
const lastMemory = Buffer.allocUnsafeSlow(1024);

/** Who is told that a channel has something for the next turn. */
export interface ChannelListener {
  onMarked(channel: Channel): void;
}

/** Tells whether what was queued before it has left the process. */
export interface WriteMark {
  /** Of `Channel.bytesSent` when all of it was with the socket; Infinity before. */
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
  /** Set by the listener while the channel waits for its turn. */
  isMarked = false;
  /** The transport was opened since the last turn. */
  hasConnected = false;
  /** The transport has ended, with this error if any; frames received before are still to be handled. */
  hasEnded = false;
  endError: Error | null = null;
  /** Bytes in either direction, for metrics. */
  bytesReceived = 0;
  bytesSent = 0;
  /** The login, once it has begun; it stays, to be repeated. */
  authentication: ConnectionLogin | null = null;
  /** Frames are tokens of the login, without header: SaslHandshake 0. */
  isBare = false;
  /** Requests without response that the peer has not taken. */
  readonly oneWay = new OneWaySends();
  /** Since when responses wait for room, or -1: no frame is taken, and the socket is not read further. */
  mutedSince = -1;
  /** 0 before the first; none is 0. */
  lastCorrelationId = 0;

  readonly #listener: ChannelListener;
  readonly #receiveMessageMaxBytes: number;
  readonly #transport: Transport;
  readonly #sends = new SendQueue();
  /** Requests that wait for the end of a login that is repeated. */
  #held: SendQueue | null = null;
  /** By the last bytes that stand before the mark. */
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

  /** The peer does not keep up with what was written, or may get nothing now. */
  get isBlocked(): boolean {
    return this.#isBlocked || this.#held !== null;
  }

  /** It ended after the version exchange began, which is how some old brokers answer. */
  get mayHaveBeenAnswered(): boolean {
    return this.state === ChannelState.API_VERSIONS && !(this.endError instanceof KafkaConnectionError);
  }

  get isMuted(): boolean {
    return this.mutedSince >= 0;
  }

  /** Requests are written in order and answered in order; ids count from 1 per connection within 31 bits. */
  nextCorrelationId(): number {
    this.lastCorrelationId = this.lastCorrelationId === 0x7fffffff ? 1 : this.lastCorrelationId + 1;
    return this.lastCorrelationId;
  }

  becomeReady(): void {
    this.state = ChannelState.READY;
    this.received.maxFrameBytes = this.#receiveMessageMaxBytes;
  }

  /** Queues one whole request; `flush` hands it to the socket. */
  enqueue(frame: OutgoingFrame): void {
    (this.#held ?? this.#sends).push(frame);
    this.#mark();
  }

  /** Queues one whole request in pieces, which must stay as they are until `isWritten` says so, or the channel is closed. */
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

  /** Whether everything up to the mark has left the process, so that its memory may be written to. */
  isWritten(mark: WriteMark): boolean {
    return this.state === ChannelState.CLOSED || mark.position <= this.bytesSent - this.#transport.unsentBytes;
  }

  /** The same for one that goes before those that are held. */
  enqueueAhead(bytes: Uint8Array): void {
    this.#sends.push(bytes);
    this.#mark();
  }

  /** Holds requests queued from now on until `release`. */
  hold(): void {
    this.#held ??= new SendQueue();
  }

  release(): void {
    if (this.#held === null) return;
    this.#sends.append(this.#held);
    this.#held = null;
    this.#mark();
  }

  /** Frames are bare tokens from now on, which may be empty, or Kafka's again. */
  receiveBareTokens(isBare: boolean): void {
    this.isBare = isBare;
    this.received.minFrameBytes = isBare ? 0 : 4;
  }

  /** Keeps a place in the queue for a request that is being encoded elsewhere. */
  reserve(): ReservedSend {
    return (this.#held ?? this.#sends).reserve(() => this.#mark());
  }

  get hasQueuedSends(): boolean {
    return !this.#sends.isEmpty || this.#held?.isEmpty === false;
  }

  /** Hands queued requests to the socket while the peer keeps up. Returns how many. */
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

  /** Ends the mute; returns how long it lasted. */
  unmute(now: number): number {
    const lasted = this.mutedSince < 0 ? 0 : now - this.mutedSince;
    this.mutedSince = -1;
    return lasted;
  }

  /** Reads on after frames were consumed. */
  resumeReading(): void {
    if (!this.#isPaused || this.received.isFull) return;
    this.#isPaused = false;
    this.#transport.resume();
  }

  /** Why the connection ended, in words a user can act on. */
  describeEnd(): Error {
    // The transport's own verdict.
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

  /** What an attempt is waiting for; null where there is nothing to add. */
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

  /** Without memory for what arrives this connection ends, and no other. */
  #failed(cause: unknown): void {
    this.hasEnded = true;
    const text = `what ${this.target.address}:${this.target.port} sends cannot be received: ${(cause as Error).message}`;
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
    this.#mark();
    this.#isPaused = this.received.isFull;
    return !this.#isPaused;
  }

  #mark(): void {
    if (!this.isMarked) this.#listener.onMarked(this);
  }
}
