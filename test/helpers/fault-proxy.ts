// Owns a TCP proxy that stands between a client and a broker and does to their bytes what networks do: splits, stalls,
// cuts, corrupts, resets. Runs in the test's thread. It knows nothing of Kafka; positions are byte counts of a direction.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { resetSocket } from '../../src/testing/reset-socket.ts';
import { waitFor } from './wait-for.ts';

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** What happens to a direction at the byte where it is cut. */
export type CutKind =
  /** FIN to the receiver, and the connection is closed. */
  | 'end'
  /** RST to both sides. */
  | 'reset'
  /** Nothing: both sides stay connected, and what is sent is lost. */
  | 'silence';

// The bytes that are read ahead of a stalled or slow receiver. The sender's kernel holds back the rest.
const readAheadBytes = 64 * 1024;

/** One direction of one connection. Offsets count from the first byte of the connection. */
export class ProxyStream {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #corruption = new Map<number, number>();
  readonly #reset: () => void;
  #find: ((bytes: Buffer) => number) | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #forwardedBytes = 0;
  #stallAt = Number.POSITIVE_INFINITY;
  #pieceBytes = Number.POSITIVE_INFINITY;
  #cutAt = Number.POSITIVE_INFINITY;
  #cutKind: CutKind = 'end';
  #isCut = false;
  #delayMs = 0;
  /** What is delayed, in the order in which it came. */
  #late: { readonly dueAt: number; readonly work: () => void }[] = [];
  #tap: ((bytes: Buffer) => void) | null = null;
  #sourceEnded = false;
  #waiting = false;

  constructor(source: Socket, target: Socket, reset: () => void) {
    this.#source = source;
    this.#target = target;
    this.#reset = reset;
    source.on('data', (chunk) => this.#later(() => this.#received(chunk)));
    source.on('end', () =>
      this.#later(() => {
        this.#sourceEnded = true;
        this.#pump();
      }),
    );
  }

  /** Bytes handed to the receiver's socket so far, in their final form. */
  get forwardedBytes(): number {
    return this.#forwardedBytes;
  }

  /** Bytes taken from the sender that the receiver has not been given. */
  get heldBytes(): number {
    return this.#queuedBytes;
  }

  /** Forwards nothing beyond byte `offset` (default: from now on); the sender is held back by its kernel. */
  stall(offset = this.#forwardedBytes): void {
    this.#stallAt = offset;
  }

  resume(): void {
    this.#stallAt = Number.POSITIVE_INFINITY;
    this.#pump();
  }

  /** Forwards at most `bytes` at a time, each piece in its own turn of the event loop. Infinity ends it. */
  split(bytes: number): void {
    if (!(bytes >= 1)) throw new RangeError(`pieces of ${bytes} bytes, expected 1 or more`);
    this.#pieceBytes = bytes;
  }

  /** Flips the bits of `mask` in the byte at `offset`, which must not have been forwarded yet. */
  corrupt(offset: number, mask = 0xff): void {
    if (offset < this.#forwardedBytes)
      throw new RangeError(`byte ${offset} is gone: ${this.#forwardedBytes} are forwarded`);
    this.#corruption.set(offset, (this.#corruption.get(offset) ?? 0) ^ mask);
  }

  /**
   * Flips the bits of one byte that `find` chooses among the bytes that come next: it gives a position, or -1 for none of these, and
   * is then asked again. Null ends it.
   */
  corruptWhere(find: ((bytes: Buffer) => number) | null): void {
    this.#find = find;
  }

  /** What comes from now on is handed on so many ms later, in order; 0 ends it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Is given every byte that is forwarded, as the receiver gets it; null for none. */
  tap(listener: ((bytes: Buffer) => void) | null): void {
    this.#tap = listener;
  }

  /** Sends bytes to the receiver that the sender has not sent, behind what is held, such as an answer to somebody else. */
  inject(bytes: Uint8Array): void {
    if (this.#isCut) return;
    this.#queue.push(Buffer.from(bytes));
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  /** FIN to the receiver, behind what was forwarded. The other direction goes on; what the sender still sends is lost. */
  halfClose(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#source.resume();
    this.#target.end();
  }

  /** Forwards the bytes before `offset` and none after. */
  cutAfter(offset: number, kind: CutKind = 'end'): void {
    this.#cutAt = Math.max(offset, this.#forwardedBytes);
    this.#cutKind = kind;
    this.#pump();
  }

  #later(work: () => void): void {
    if (this.#delayMs === 0 && this.#late.length === 0) {
      work();
      return;
    }
    this.#late.push({ dueAt: performance.now() + this.#delayMs, work });
    if (this.#late.length === 1) this.#wait();
  }

  /** One timer for all: timers of their own may fire in another order. */
  #wait(): void {
    const waitMs = Math.max(0, this.#late[0]!.dueAt - performance.now());
    setTimeout(() => {
      do this.#late.shift()!.work();
      while (this.#late.length > 0 && this.#late[0]!.dueAt <= performance.now());
      if (this.#late.length > 0) this.#wait();
    }, waitMs);
  }

  #received(chunk: Buffer): void {
    if (this.#isCut) return;
    this.#corruptFound(chunk);
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= readAheadBytes) this.#source.pause();
    this.#pump();
  }

  #corruptFound(chunk: Buffer): void {
    const at = this.#find?.(chunk) ?? -1;
    if (at < 0) return;
    chunk[at] = chunk[at]! ^ 0xff;
    this.#find = null;
  }

  #pump(): void {
    while (!this.#waiting && !this.#isCut) {
      const limit = Math.min(this.#stallAt, this.#cutAt);
      const room = limit - this.#forwardedBytes;
      if (room <= 0) {
        if (this.#forwardedBytes >= this.#cutAt) this.#cut();
        return;
      }
      const piece = this.#take(Math.min(room, this.#pieceBytes));
      if (piece === null) {
        if (this.#sourceEnded) this.#target.end();
        return;
      }
      this.#forward(piece);
    }
  }

  #take(maxBytes: number): Buffer | null {
    const first = this.#queue[0];
    if (first === undefined) return null;
    if (first.length <= maxBytes) {
      this.#queue.shift();
    } else {
      this.#queue[0] = first.subarray(maxBytes);
    }
    const piece = first.length <= maxBytes ? first : first.subarray(0, maxBytes);
    this.#queuedBytes -= piece.length;
    if (this.#queuedBytes < readAheadBytes && this.#source.isPaused()) this.#source.resume();
    return piece;
  }

  #forward(piece: Buffer): void {
    for (const [offset, mask] of this.#corruption) {
      const at = offset - this.#forwardedBytes;
      if (at < 0 || at >= piece.length) continue;
      piece[at] = piece[at]! ^ mask;
      this.#corruption.delete(offset);
    }
    this.#forwardedBytes += piece.length;
    this.#tap?.(piece);
    const isTaken = this.#target.write(piece);
    if (!isTaken) {
      this.#waitFor((go) => this.#target.once('drain', go));
    } else if (this.#pieceBytes !== Number.POSITIVE_INFINITY) {
      this.#waitFor(setImmediate);
    }
  }

  #waitFor(arm: (go: () => void) => void): void {
    this.#waiting = true;
    arm(() => {
      this.#waiting = false;
      this.#pump();
    });
  }

  #cut(): void {
    this.#isCut = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#source.resume();
    if (this.#cutKind === 'reset') this.#reset();
    if (this.#cutKind !== 'end') return;
    // Closed only when all that was forwarded is out: destroying at once could drop the last bytes.
    this.#target.end(() => {
      this.#target.destroy();
      this.#source.destroy();
    });
  }
}

/** One client's connection and the broker's end of it. */
export class ProxyConnection {
  /** Counts from 0 in order of arrival. */
  readonly id: number;
  readonly toBroker: ProxyStream;
  readonly toClient: ProxyStream;
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #broker: Socket;
  #isOpen = true;

  constructor(id: number, client: Socket, target: ProxyTarget) {
    this.id = id;
    this.#client = client;
    this.#broker = connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.toBroker = new ProxyStream(client, this.#broker, () => this.reset());
    this.toClient = new ProxyStream(this.#broker, client, () => this.reset());
    // A socket error on one side is passed on to the other side as RST, the only way that TCP has.
    client.on('error', () => resetSocket(this.#broker));
    this.#broker.on('error', () => resetSocket(client));
    this.closed = Promise.all([closed(client), closed(this.#broker)]).then(() => {
      this.#isOpen = false;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** RST to both sides. */
  reset(): void {
    resetSocket(this.#client);
    resetSocket(this.#broker);
  }

  /** FIN to both sides. */
  end(): void {
    this.#client.destroy();
    this.#broker.destroy();
  }
}

export class FaultProxy {
  readonly host: string;
  /** Where connections go from now on; open ones stay where they are. */
  target: ProxyTarget | null;
  readonly #server: Server;
  readonly #all: ProxyConnection[] = [];
  readonly #open = new Set<ProxyConnection>();
  #prepare: ((connection: ProxyConnection) => void) | null = null;
  #port = 0;

  private constructor(target: ProxyTarget | null, host: string) {
    this.target = target;
    this.host = host;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Without a target yet, e.g. because the broker must know the proxy's port first, connections are reset. */
  static async start(target: ProxyTarget | null = null, host = '127.0.0.1'): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, host);
    await proxy.listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** "host:port" */
  get address(): string {
    return `${this.host}:${this.#port}`;
  }

  /** Every connection there was, oldest first. */
  get connections(): readonly ProxyConnection[] {
    return this.#all;
  }

  get openConnections(): readonly ProxyConnection[] {
    return [...this.#open];
  }

  /** `prepare` sees each new connection before a byte of it is forwarded; null for none. */
  onConnection(prepare: ((connection: ProxyConnection) => void) | null): void {
    this.#prepare = prepare;
  }

  /** The connection with that id, once it has come. */
  connection(id: number): Promise<ProxyConnection> {
    return waitFor(`proxied connection ${id}`, () => this.#all[id]);
  }

  /** Refuses connections; open ones stay. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    // The callback of close() waits for the end of all connections, but the port is free at once.
    this.#server.close();
    await waitFor('the proxy to stop listening', () => !this.#server.listening);
  }

  /** Accepts connections again, on the same port. */
  async listen(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.#port = address.port;
  }

  resetAll(): void {
    for (const connection of this.#open) connection.reset();
  }

  /** Ends everything. Idempotent. */
  async close(): Promise<void> {
    await this.refuse();
    const open = [...this.#open];
    for (const connection of open) connection.end();
    await Promise.all(open.map((connection) => connection.closed));
  }

  #accept(socket: Socket): void {
    if (this.target === null) {
      resetSocket(socket);
      return;
    }
    const connection = new ProxyConnection(this.#all.length, socket, this.target);
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
    // Sockets deliver data only in later turns, so this comes before the first byte.
    this.#prepare?.(connection);
    this.#all.push(connection);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
