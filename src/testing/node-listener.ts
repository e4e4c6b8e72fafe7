// Owns the listening socket of one node and its connections. Runs in the broker's thread.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { BrokerConnection, type ConnectionHost } from './connection.ts';
import type { EarlyListener } from './early-listeners.ts';
import { nodeTls } from './node-modules.ts';
import type { TlsSettings } from './options.ts';

export class NodeListener {
  readonly #host: string;
  readonly #server: Server;
  readonly #connections = new Set<BrokerConnection>();
  readonly #connectionHost: () => ConnectionHost;
  readonly #nextConnectionId: () => number;
  #early: EarlyListener | null;
  #port: number;
  #isReading = true;

  /** @param early listens for the node already, until `takeEarly` */
  constructor(
    host: string,
    port: number,
    tls: TlsSettings | undefined,
    connectionHost: () => ConnectionHost,
    nextConnectionId: () => number,
    early?: EarlyListener,
  ) {
    this.#host = host;
    this.#port = early?.port ?? port;
    this.#early = early ?? null;
    this.#connectionHost = connectionHost;
    this.#nextConnectionId = nextConnectionId;
    const accept = (socket: Socket): void => this.#accept(socket);
    if (early !== undefined) this.#server = early.server;
    else if (tls === undefined) this.#server = createServer({ noDelay: true }, accept);
    else this.#server = nodeTls().createServer(tlsOptions(tls), accept);
    // Nothing to do for a failed handshake: the client sees it.
    this.#server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  }

  /** Known after the first listen, and then always the same. */
  get port(): number {
    return this.#port;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /** Those that are open and not being ended. */
  get connections(): readonly BrokerConnection[] {
    return [...this.#connections].filter((connection) => connection.isOpen);
  }

  async listen(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** The node can answer now: it takes what has connected. */
  takeEarly(): void {
    this.#early?.passTo((socket) => this.#accept(socket));
    this.#early = null;
  }

  /** New connections are refused from now on; open ones stay. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    for (const connection of this.#connections) connection.setReading(isReading);
  }

  /** Returns how many there were. */
  closeConnections(kind: 'close' | 'reset'): number {
    const open = this.connections;
    for (const connection of open) connection.close(kind);
    return open.length;
  }

  #accept(socket: Socket): void {
    const connection = new BrokerConnection(this.#nextConnectionId(), socket, this.#connectionHost());
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
    if (!this.#isReading) connection.setReading(false);
  }
}

function tlsOptions(tls: TlsSettings): object {
  const { requireClientCertificate = false, ...settings } = tls;
  return {
    ...settings,
    noDelay: true,
    requestCert: requireClientCertificate,
    rejectUnauthorized: requireClientCertificate,
  };
}
