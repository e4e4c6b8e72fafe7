// Owns the passage between a channel and a socket, and the plain TCP socket. Network thread. Must not read a clock or decide
// policy: callbacks hand bytes and events to the channel.

import type { Socket } from 'node:net';
import type { Dial } from './dial.ts';

/** What a channel hears from its socket. Called between turns of the poll loop, never inside one. */
export interface TransportEvents {
  onConnect(): void;
  /** The exact memory the next read shall fill. */
  memoryForRead(): Uint8Array;
  /** `byteCount` bytes were read into `memory`; false stops reading until `resume`. */
  onRead(memory: Uint8Array, byteCount: number): boolean;
  /** Everything written so far has left the process. */
  onDrain(): void;
  /**
   * The socket is gone: with the error that ended it, or null after an orderly end by the peer. A KafkaConnectionError is
   * the whole verdict on a connection that never came about, any other error a fact about the socket.
   */
  onClose(error: Error | null): void;
}

/** One open (or opening) byte stream. */
export interface Transport {
  /** Takes the bytes; false when the peer is behind and `onDrain` will follow. */
  write(bytes: Uint8Array): boolean;
  /** Lets several writes leave in one system call. */
  cork(): void;
  uncork(): void;
  resume(): void;
  /** Bytes written that are still in this process. */
  readonly unsentBytes: number;
  /** Ends the stream at once; no event follows. */
  destroy(): void;
  /** What an opening stream is waiting for, in words; null where there is nothing to add. */
  describeWait?(): string | null;
}

export interface TransportTarget {
  readonly address: string;
  readonly port: number;
  /** What `address` was resolved from: the name in the configuration or in metadata. */
  readonly host: string;
}

/** What a server may be that ends a connection before its first byte: brokers do so with one connection too many of an address. */
export const isFullAdvice = 'have all the connections it takes from this address (max.connections.per.ip)';

/** Opens a transport; a test passes its own. */
export type OpenTransport = (target: TransportTarget, events: TransportEvents) => Transport;

/** A transport over a socket that may come later. */
export class SocketTransport implements Transport {
  /** For the socket, so that it reads into the channel's memory. */
  readonly onread = {
    buffer: (): Uint8Array => this.#events.memoryForRead(),
    callback: (byteCount: number, memory: Uint8Array): boolean =>
      this.#isDestroyed ? false : this.#events.onRead(memory, byteCount),
  };

  readonly #events: TransportEvents;
  #socket: Socket | null = null;
  #awaited = '';
  #giveUp: (() => void) | null = null;
  #isDestroyed = false;

  constructor(events: TransportEvents) {
    this.#events = events;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** There will be a socket; `giveUp` ends what leads to it. */
  awaits(what: string, giveUp: () => void): void {
    this.#awaited = what;
    this.#giveUp = giveUp;
  }

  describeWait(): string | null {
    return this.#giveUp === null ? null : `${this.#awaited} did not answer`;
  }

  /** @param openEvent tells that bytes may be written; null: they may be already */
  use(socket: Socket, openEvent: 'connect' | 'secureConnect' | null): void {
    this.#socket = socket;
    this.#giveUp = null;
    if (openEvent !== null) {
      socket.on(openEvent, () => {
        if (!this.#isDestroyed) this.#events.onConnect();
      });
    }
    socket.on('drain', () => {
      if (!this.#isDestroyed) this.#events.onDrain();
    });
    socket.on('error', (error) => {
      // At once: after some TLS errors Node never says `close` (20.20.2).
      this.fail(error);
      socket.destroy();
    });
    // The peer's FIN: whatever it sent before has been read, since `end` comes after the last read.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.fail(null));
  }

  /** For a socket that stood before the channel's memory could be named to it: what it reads is copied there. */
  copyFrom(socket: Socket): void {
    socket.on('data', (chunk) => {
      for (let rest: Uint8Array = chunk; rest.length > 0 && !this.#isDestroyed; ) {
        const memory = this.#events.memoryForRead();
        const part = rest.subarray(0, memory.length);
        memory.set(part);
        if (!this.#events.onRead(memory, part.length)) socket.pause();
        rest = rest.subarray(part.length);
      }
    });
  }

  /** The stream has ended, or will never begin. */
  fail(error: Error | null): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#events.onClose(error);
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket!.write(bytes);
  }

  get unsentBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  cork(): void {
    this.#socket!.cork();
  }

  uncork(): void {
    this.#socket!.uncork();
  }

  resume(): void {
    this.#socket?.resume();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#giveUp?.();
    this.#socket?.destroy();
  }
}

/** Plain TCP. */
export function tcpTransports(dial: Dial): OpenTransport {
  return ({ address, port }, events) => {
    const transport = new SocketTransport(events);
    transport.use(dial(address, port, transport.onread), 'connect');
    return transport;
  };
}
