// Owns an HTTP proxy that knows only CONNECT. Runs in the test's thread. `names` replaces its name server.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxyOptions {
  /** `user:password` that clients must send. */
  readonly login?: string;
  /** The addresses that its look-up of a name gives. */
  readonly names?: Readonly<Record<string, string>>;
}

const host = '127.0.0.1';

export class ConnectProxy {
  /** The requested targets, `host:port`, oldest first. */
  readonly asked: string[] = [];
  readonly #options: ConnectProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ConnectProxyOptions) {
    this.#options = options;
    this.#server = createServer((_request, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, socket: Socket) => this.#connect(request, socket));
  }

  static async start(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, host, resolve));
    return proxy;
  }

  /** `host:port` */
  get address(): string {
    return `${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection through it. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.dropAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect({ url = '', headers }: IncomingMessage, client: Socket): void {
    this.asked.push(url);
    this.#keep(client);
    const { login, names = {} } = this.#options;
    const expected = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    if (headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const colon = url.lastIndexOf(':');
    const name = url.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    const target = connect({ host: names[name] ?? name, port: Number(url.slice(colon + 1)) });
    this.#keep(target);
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    target.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    target.once('close', () => client.end());
    client.once('close', () => target.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
