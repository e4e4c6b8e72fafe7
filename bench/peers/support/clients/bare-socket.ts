// Owns the limit of reading: a socket that asks for the same records again and again, and throws away the bytes that come. No client can be
// faster on one connection. The limit of writing is in bare-writer.ts. Main thread of a contender.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { OnRead, Peer, Place } from '../peer.ts';
import { replayWriter } from './bare-writer.ts';

const defaultMaxBytes = 1 << 20;
const fetchVersion = 4;
const headBytes = 61;
const metadataKey = 3;

export function load(): Peer {
  return {
    version: process.version,
    compressions: [],
    readsAgain: true,
    write: replayWriter,
    async read(place, { maxBytes: asked }, onRead, onError) {
      const maxBytes = asked ?? defaultMaxBytes;
      const reader = new DiscardingReader(place, maxBytes, onRead);
      reader.socket.on('error', onError);
      return {
        settings: `a Fetch version 4 of ${maxBytes} bytes under way for each partition, always of offset 0; the bytes are thrown away`,
        close: async () => void reader.socket.destroy(),
      };
    },
    async request(place) {
      const requester = new BareRequester(place);
      await once(requester.socket, 'connect');
      return {
        settings: 'Metadata version 1; the answer is not decoded',
        request: () => requester.request(),
        close: async () => void requester.socket.destroy(),
      };
    },
  };
}

/** Requests of which any number may be under way. */
class BareRequester {
  readonly socket: Socket;
  readonly #request: Buffer;
  readonly #waiting: ((body: Buffer) => void)[] = [];
  #received: Buffer | null = null;

  constructor({ bootstrapServer, topic }: Place) {
    const colon = bootstrapServer.lastIndexOf(':');
    const [host, port] = [bootstrapServer.slice(0, colon), Number(bootstrapServer.slice(colon + 1))];
    this.socket = connect({ host, port, noDelay: true });
    const name = Buffer.from(topic);
    const request = Buffer.alloc(20 + name.length);
    let to = request.writeInt32BE(16 + name.length, 0);
    to = request.writeInt16BE(metadataKey, to);
    to = request.writeInt16BE(1, to);
    to = request.writeInt32BE(1, to);
    to = request.writeInt16BE(-1, to);
    to = request.writeInt32BE(1, to);
    to = request.writeInt16BE(name.length, to);
    name.copy(request, to);
    this.#request = request;
    this.socket.on('data', (chunk) => this.#take(chunk));
  }

  request(): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.socket.write(this.#request);
    });
  }

  #take(chunk: Buffer): void {
    let bytes = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      this.#waiting.shift()!(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
    this.#received = bytes.length === 0 ? null : bytes;
  }
}

/** The responses of one partition are all alike, so only the first one is looked at: how many bytes and records it has. */
class DiscardingReader {
  readonly socket: Socket;
  readonly #maxBytes: number;
  readonly #place: Place;
  readonly #onRead: OnRead;
  readonly #shapes = new Map<number, { records: number; bytes: number }>();
  /** The bytes of the response that is coming, while its partition's shape is not known. */
  #parts: Buffer[] = [];
  #head = Buffer.alloc(8);
  #headBytes = 0;
  #left = 0;
  #partition = 0;

  constructor(place: Place, maxBytes: number, onRead: OnRead) {
    this.#place = place;
    this.#maxBytes = maxBytes;
    this.#onRead = onRead;
    const colon = place.bootstrapServer.lastIndexOf(':');
    const [host, port] = [place.bootstrapServer.slice(0, colon), Number(place.bootstrapServer.slice(colon + 1))];
    const buffer = Buffer.allocUnsafeSlow(1 << 20);
    const callback = (byteCount: number): boolean => {
      this.#take(buffer.subarray(0, byteCount));
      return true;
    };
    this.socket = connect({ host, port, noDelay: true, onread: { buffer, callback } });
    this.socket.on('connect', () => {
      for (let partition = 0; partition < place.partitions; partition++) this.#ask(partition);
    });
  }

  #ask(partition: number): void {
    const topic = Buffer.from(this.#place.topic);
    const request = Buffer.alloc(61 + topic.length);
    let to = request.writeInt16BE(1, 4);
    to = request.writeInt16BE(fetchVersion, to);
    to = request.writeInt32BE(partition, to);
    to = request.writeInt16BE(-1, to);
    to = request.writeInt32BE(-1, to);
    to = request.writeInt32BE(100, to);
    to = request.writeInt32BE(1, to);
    to = request.writeInt32BE(this.#maxBytes, to);
    to = request.writeInt8(0, to);
    to = request.writeInt32BE(1, to);
    to = request.writeInt16BE(topic.length, to);
    to += topic.copy(request, to);
    to = request.writeInt32BE(1, to);
    to = request.writeInt32BE(partition, to);
    to = request.writeBigInt64BE(0n, to);
    to = request.writeInt32BE(this.#maxBytes, to);
    request.writeInt32BE(to - 4, 0);
    this.socket.write(request.subarray(0, to));
  }

  /** Follows the frames: 4 bytes of length, 4 of correlation id, which is the partition. */
  #take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        const wanted = Math.min(8 - this.#headBytes, chunk.length - at);
        chunk.copy(this.#head, this.#headBytes, at, at + wanted);
        this.#headBytes += wanted;
        at += wanted;
        if (this.#headBytes < 8) return;
        this.#headBytes = 0;
        this.#left = this.#head.readInt32BE(0) - 4;
        this.#partition = this.#head.readInt32BE(4);
      }
      const step = Math.min(this.#left, chunk.length - at);
      if (!this.#shapes.has(this.#partition)) this.#parts.push(Buffer.from(chunk.subarray(at, at + step)));
      at += step;
      this.#left -= step;
      if (this.#left === 0) this.#ended();
    }
  }

  #ended(): void {
    let shape = this.#shapes.get(this.#partition);
    if (shape === undefined) {
      shape = shapeOf(Buffer.concat(this.#parts));
      this.#shapes.set(this.#partition, shape);
      this.#parts = [];
    }
    this.#onRead(this.#partition, 0, shape.records, shape.bytes, 0);
    this.#ask(this.#partition);
  }
}

/** The records of a Fetch response version 4 to one partition, without its head. */
function shapeOf(body: Buffer): { records: number; bytes: number } {
  let at = 4 + 4;
  at += 2 + body.readInt16BE(at) + 4 + 4;
  const errorCode = body.readInt16BE(at);
  if (errorCode !== 0) throw new Error(`the broker answered Fetch with error ${errorCode}`);
  at += 2 + 8 + 8;
  at += 4 + 16 * Math.max(body.readInt32BE(at), 0);
  const end = at + 4 + body.readInt32BE(at);
  at += 4;
  let records = 0;
  let bytes = 0;
  while (end - at >= headBytes && at + 12 + body.readInt32BE(at + 8) <= end) {
    records += body.readInt32BE(at + 57);
    const length = 12 + body.readInt32BE(at + 8);
    bytes += length;
    at += length;
  }
  if (records === 0) throw new Error('a Fetch of the limit holds no whole batch: ask for more bytes');
  return { records, bytes };
}
