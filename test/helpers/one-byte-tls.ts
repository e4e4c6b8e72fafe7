// Owns a TLS server in front of a plaintext server. It sends each byte in its own TLS record. Runs in the test's thread.

import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ProxyTarget } from './fault-proxy.ts';

export class OneByteTls implements ProxyTarget {
  readonly host = '127.0.0.1';
  port = 0;
  /** Bytes of the plaintext server sent so far, each in its record. */
  sentBytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(target: ProxyTarget, options: TlsOptions) {
    this.#server = createServer(options, (socket) => this.#serve(socket, target));
  }

  static async start(target: ProxyTarget, options: TlsOptions): Promise<OneByteTls> {
    const server = new OneByteTls(target, options);
    await new Promise<void>((resolve) => server.#server.listen(0, server.host, resolve));
    server.port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: TLSSocket, target: ProxyTarget): void {
    const broker = connect(target);
    this.#sockets.add(client);
    const end = (): void => {
      this.#sockets.delete(client);
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) socket.on('close', end).on('error', end);
    client.pipe(broker);
    void this.#send(broker, client);
  }

  /** Writes that are not awaited would become one record. */
  async #send(broker: AsyncIterable<Buffer>, client: TLSSocket): Promise<void> {
    try {
      for await (const chunk of broker) {
        for (let i = 0; i < chunk.length && !client.destroyed; i++) {
          await new Promise((resolve) => client.write(chunk.subarray(i, i + 1), resolve));
          this.sentBytes++;
        }
      }
    } catch (error) {
      // If one of both sockets is gone, the other ends too.
      client.destroy(error as Error);
    }
  }
}
