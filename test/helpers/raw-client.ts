// Owns a very simple client: one socket, requests and answers through the project's codecs, no thread, no ring, no retries. For
// tests of the helpers themselves, and for the same requests to a real broker.

import { connect, type Socket } from 'node:net';
import { HeapMemory } from '../../src/common/memory.ts';
import type { Api } from '../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { wireCodec } from '../../src/protocol/wire/codecs.ts';
import { decodeResponseHeader, encodeRequestHeader } from '../../src/protocol/wire/header.ts';
import { WireReader } from '../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';

/** The connection ended, by FIN (code null) or by an error. */
export class ConnectionEnded extends Error {
  readonly code: string | null;

  constructor(code: string | null) {
    super(`the connection ended: ${code ?? 'FIN'}`);
    this.code = code;
  }
}

export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection has ended, with the error's code, or null after FIN. */
  readonly ended: Promise<string | null>;
  readonly #clientId: string;
  #buffer: Buffer = Buffer.alloc(0);
  readonly #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #nextCorrelationId = 1;
  #isEnded = false;
  #errorCode: string | null = null;
  #wake = (): void => {};

  private constructor(socket: Socket, clientId: string) {
    this.socket = socket;
    this.#clientId = clientId;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#chunkBytes += chunk.length;
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code ?? error.message;
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isEnded = true;
        this.#wake();
        resolve(this.#errorCode);
      };
      socket.once('close', end);
      socket.once('end', end);
    });
  }

  static connect(port: number, host = '127.0.0.1', clientId = 'raw-client'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket, clientId));
      });
    });
  }

  /** Writes the request and returns its correlation id. */
  write<Request>(api: Api<Request>, version: number, request: Request): number {
    const correlationId = this.#nextCorrelationId++;
    this.socket.write(encodeRequest(api, version, correlationId, this.#clientId, request));
    return correlationId;
  }

  /** The next frame without its size prefix. Throws ConnectionEnded. */
  async readFrame(): Promise<Buffer> {
    const size = (await this.readBytes(4)).readInt32BE(0);
    return this.readBytes(size);
  }

  /** The next bytes, whatever they are. Throws ConnectionEnded. */
  async readBytes(count: number): Promise<Buffer> {
    while (this.#buffer.length + this.#chunkBytes < count) {
      if (this.#isEnded) throw new ConnectionEnded(this.#errorCode);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#buffer.length < count) {
      this.#buffer = Buffer.concat([this.#buffer, ...this.#chunks.splice(0)]);
      this.#chunkBytes = 0;
    }
    const bytes = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return bytes;
  }

  /** The answer to the request with that correlation id. It must be the next answer. */
  async read<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    correlationId: number,
  ): Promise<Response> {
    return decodeResponse(api, version, correlationId, await this.readFrame());
  }

  async send<Request, Response>(api: Api<Request, Response>, version: number, request: Request): Promise<Response> {
    return this.read(api, version, this.write(api, version, request));
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A whole frame. */
export function encodeRequest<Request>(
  api: Api<Request>,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: Request,
): Buffer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  api.writeRequest(writer, request);
  const byteLength = writer.finish();
  const codec = wireCodec(api.key);
  const wire = new WireWriter();
  wire.reserve(4);
  encodeRequestHeader(wire, api.key, version, codec.requestHeaderVersion(version), correlationId, clientId);
  codec.encodeRequest(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }), wire, version);
  const frame = wire.finish();
  frame.writeInt32BE(frame.length - 4, 0);
  return frame;
}

/** Throws when the correlation id is another one, or bytes are left over. */
export function decodeResponse<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  frame: Buffer,
): Response {
  const codec = wireCodec(api.key);
  const reader = new WireReader(frame);
  const answered = decodeResponseHeader(reader, codec.responseHeaderVersion(version));
  if (answered !== correlationId) throw new Error(`answer to request ${answered}, expected ${correlationId}`);
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  codec.decodeResponse(reader, writer, version, { verifyCrc: true, records: 'rows', maxDecompressedBytes: 2 ** 28 });
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes after the body of ${api.name} ${version}`);
  const byteLength = writer.finish();
  return api.readResponse(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }));
}
