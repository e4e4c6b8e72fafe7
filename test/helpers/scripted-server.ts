// Owns a TCP server that runs a test's script, for peers that are not brokers, or bad brokers. Runs in the
// test's thread. It knows Kafka's size prefix and nothing else of the protocol.

import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { resetSocket } from '../../src/testing/reset-socket.ts';
import { waitFor } from './wait-for.ts';

/** What the server does with one connection. Reading past the client's end ends a script silently; other errors show at `close`. */
export type Script = (connection: ScriptedConnection) => void | Promise<void>;

const host = '127.0.0.1';

class ClientGone extends Error {}

export class ScriptedConnection {
  /** Counts from 0 in order of arrival. */
  readonly id: number;
  readonly socket: Socket;
  /** Resolves when the socket is closed in both directions. A client's FIN is not enough: the script decides about its own. */
  readonly closed: Promise<void>;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #ended = false;
  #wake = (): void => {};

  constructor(id: number, socket: Socket) {
    this.id = id;
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
      this.#wake();
    });
    socket.on('end', () => this.#end());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end();
        resolve();
      });
    });
    // A reset is one way in which a client can end.
    socket.on('error', () => this.#end());
  }

  /** The next `bytes` bytes. */
  async read(bytes: number): Promise<Buffer> {
    while (this.#receivedBytes < bytes) {
      if (this.#ended) throw new ClientGone(`the client ended after ${this.#receivedBytes} bytes of ${bytes}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const all = Buffer.concat(this.#received);
    this.#received = [all.subarray(bytes)];
    this.#receivedBytes = all.length - bytes;
    return all.subarray(0, bytes);
  }

  /** The next frame without its size prefix: header and body of a request. */
  async readFrame(): Promise<Buffer> {
    return this.read((await this.read(4)).readInt32BE(0));
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Puts the size prefix before `body`, which starts with the correlation id. */
  writeFrame(body: Uint8Array): void {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(body.length, 0);
    this.socket.write(Buffer.concat([prefix, body]));
  }

  /** FIN, after what was written. */
  end(): void {
    this.socket.end();
  }

  reset(): void {
    resetSocket(this.socket);
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}

export class ScriptedServer {
  readonly #server: Server;
  readonly #connections: ScriptedConnection[] = [];
  readonly #errors: unknown[] = [];
  #script: Script;

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    await listen(server.#server);
    return server;
  }

  get host(): string {
    return host;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** "host:port" */
  get address(): string {
    return `${host}:${this.port}`;
  }

  /** Every connection there was, oldest first. */
  get connections(): readonly ScriptedConnection[] {
    return this.#connections;
  }

  /** For connections that come from now on. */
  setScript(script: Script): void {
    this.#script = script;
  }

  /** The connection with that id, once it has come. */
  connection(id: number): Promise<ScriptedConnection> {
    return waitFor(`connection ${id} to the scripted server`, () => this.#connections[id]);
  }

  /** Ends everything. Throws the errors of scripts. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.socket.destroy();
    await closeServer(this.#server);
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, this.#errors.map(String).join('\n'));
  }

  #accept(socket: Socket): void {
    const connection = new ScriptedConnection(this.#connections.length, socket);
    this.#connections.push(connection);
    this.#run(connection).catch((error: unknown) => {
      if (!(error instanceof ClientGone)) this.#errors.push(error);
      socket.destroy();
    });
  }

  async #run(connection: ScriptedConnection): Promise<void> {
    await this.#script(connection);
  }
}

/** Scripts that many tests use. */
export const scripts = {
  /** Accepts and reads, but sends nothing. */
  silent: (): void => {},

  /** FIN as soon as connected. */
  closeAtOnce: (connection: ScriptedConnection): void => connection.end(),

  resetAtOnce: (connection: ScriptedConnection): void => connection.reset(),

  /** Reads one request, then FIN instead of an answer. */
  closeAfterRequest: async (connection: ScriptedConnection): Promise<void> => {
    await connection.readFrame();
    connection.end();
  },

  /** Sends `bytes` as soon as connected, and nothing more. */
  send(bytes: Uint8Array): Script {
    return (connection) => connection.write(bytes);
  },

  /** Answers each request with `bytes`. */
  answerWith(bytes: Uint8Array): Script {
    return async (connection) => {
      for (;;) {
        await connection.readFrame();
        connection.write(bytes);
      }
    };
  },

  /** Sends back every byte that it gets. */
  echo: async (connection: ScriptedConnection): Promise<void> => {
    for (;;) connection.write(await connection.read(1));
  },

  /** Acts like the TLS listener of a Java broker with a plaintext client: a fatal alert, then FIN. */
  tlsListener: async (connection: ScriptedConnection): Promise<void> => {
    await connection.read(1);
    connection.write(Buffer.from('15030300020250', 'hex'));
    connection.end();
  },
} as const;

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

/** Node's own web server, which answers Kafka's bytes with "400 Bad Request" and closes. */
export async function startHttpServer(): Promise<HttpServer> {
  const server = createHttpServer((_request, response) => response.end('not a broker'));
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    address: `${host}:${port}`,
    close: () => {
      server.closeAllConnections();
      return closeServer(server);
    },
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
