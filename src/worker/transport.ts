// Owns the passage between a channel and a TCP socket: the only file of the poll loop's world that touches node:net.
// Network thread. Must not read a clock or decide policy: callbacks hand bytes and events to the channel.

import { connect, type Socket } from 'node:net';

/** What a channel hears from its socket. Called between turns of the poll loop, never inside one. */
export interface TransportEvents {
  onConnect(): void;
  /** The exact memory the next read shall fill. */
  memoryForRead(): Uint8Array;
  /** `byteCount` bytes were read into `memory`; false stops reading until `resume`. */
  onRead(memory: Uint8Array, byteCount: number): boolean;
  /** Everything written so far has left the process. */
  onDrain(): void;
  /** The socket is gone: with the error that ended it, or null after an orderly end by the peer. */
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
  /** Ends the stream at once; no event follows. */
  destroy(): void;
}

export interface TransportTarget {
  readonly address: string;
  readonly port: number;
}

/** Opens a transport; a test passes its own. */
export type OpenTransport = (target: TransportTarget, events: TransportEvents) => Transport;

const keepAliveDelayMs = 60_000;

export const openTcpTransport: OpenTransport = (target, events) => {
  let isDestroyed = false;
  let lastError: Error | null = null;
  const socket: Socket = connect({
    host: target.address,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
    onread: {
      buffer: () => events.memoryForRead(),
      callback: (byteCount, memory) => (isDestroyed ? false : events.onRead(memory, byteCount)),
    },
  });
  socket.on('connect', () => {
    if (!isDestroyed) events.onConnect();
  });
  socket.on('drain', () => {
    if (!isDestroyed) events.onDrain();
  });
  socket.on('error', (error) => {
    lastError = error;
  });
  // The peer's FIN: whatever it sent before has been read, since `end` comes after the last read.
  socket.on('end', () => socket.destroy());
  socket.on('close', () => {
    if (!isDestroyed) events.onClose(lastError);
    isDestroyed = true;
  });
  return {
    write: (bytes) => socket.write(bytes),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    resume: () => {
      socket.resume();
    },
    destroy: () => {
      isDestroyed = true;
      socket.destroy();
    },
  };
};
