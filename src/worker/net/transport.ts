// Owns the interface between a channel and a socket, and plain TCP sockets. Network thread. Must not read a clock and must not
// decide policy: callbacks pass bytes and events to the channel.

import type { Socket } from 'node:net';
import type { Dial } from './dial.ts';

/** The events of a socket, for its channel. They are called between rounds of the poll loop, never inside one. */
export interface TransportEvents {
  onConnect(): void;
  /** The exact memory that the next read fills. */
  memoryForRead(): Uint8Array;
  /** `byteCount` bytes were read into `memory`. If it returns false, reading stops until `resume`. */
  onRead(memory: Uint8Array, byteCount: number): boolean;
  /** Everything written so far has left the process. */
  onDrain(): void;
  /**
   * The socket is closed. `error` is what ended it, or null when the peer closed it in order. A KafkaConnectionError is a
   * complete reason for the user. Any other error comes from the socket.
   */
  onClose(error: Error | null): void;
}

/** One byte stream, open or opening. */
export interface Transport {
  /** Writes the bytes. Returns false when the socket keeps them for now; `onDrain` then follows. */
  write(bytes: Uint8Array): boolean;
  /** Joins the next writes into one system call. */
  cork(): void;
  uncork(): void;
  resume(): void;
  /** How many written bytes are still in this process. */
  readonly unsentBytes: number;
  /** Ends the stream at once. No event follows. */
  destroy(): void;
  /** A text that says what an opening stream waits for. Null when there is nothing to add. */
  describeWait?(): string | null;
}

export interface TransportTarget {
  readonly address: string;
  readonly port: number;
  /** The name that `address` was looked up for, from the configuration or from metadata. */
  readonly host: string;
}

/** A possible reason when a server closes a connection before its first byte. A broker does so when an address has too many connections. */
export const isFullAdvice = 'have all the connections it takes from this address (max.connections.per.ip)';

/** Opens a transport. Tests pass their own. */
export type OpenTransport = (target: TransportTarget, events: TransportEvents) => Transport;

/** A transport whose socket may come later. */
export class SocketTransport implements Transport {
  /** An option for the socket. It makes the socket read into the channel's memory. */
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

  /** The socket will come later. `giveUp` ends the attempt to get it. */
  awaits(what: string, giveUp: () => void): void {
    this.#awaited = what;
    this.#giveUp = giveUp;
  }

  describeWait(): string | null {
    return this.#giveUp === null ? null : `${this.#awaited} did not answer`;
  }

  /** @param openEvent the event after which bytes may be written; null: they may be written now */
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
      // The failure is reported here and not at `close`: after some TLS errors Node never emits `close` (20.20.2).
      this.fail(error);
      socket.destroy();
    });
    // The peer has sent its FIN. Everything before it has been read: `end` comes after the last read.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.fail(null));
  }

  /** For a socket that was made without `onread`: its bytes are copied into the channel's memory. */
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

  /** The stream has ended, or it will never open. */
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
