// Owns an authorization server that knows one grant: client credentials. Runs in the test's thread, on loopback.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Issued } from './certificates.ts';

export interface TokenRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: URLSearchParams;
}

/** Its answer: a status and JSON, text that is not JSON, or nothing. */
export type TokenAnswer = { readonly status?: number; readonly json?: unknown; readonly text?: string } | 'silent';

export class TokenEndpoint {
  readonly requests: TokenRequest[] = [];
  readonly #server: Server;
  #answer: (request: TokenRequest) => TokenAnswer;

  readonly #scheme: string;

  private constructor(answer: (request: TokenRequest) => TokenAnswer, certificate: Issued | undefined) {
    this.#answer = answer;
    this.#scheme = certificate === undefined ? 'http' : 'https';
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = certificate === undefined ? createServer(serve) : createSecureServer(certificate, serve);
  }

  /** @param certificate for https; without it http */
  static async start(answer: (request: TokenRequest) => TokenAnswer, certificate?: Issued): Promise<TokenEndpoint> {
    const endpoint = new TokenEndpoint(answer, certificate);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  answerWith(answer: (request: TokenRequest) => TokenAnswer): void {
    this.#answer = answer;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = { headers: request.headers, body: new URLSearchParams(Buffer.concat(chunks).toString()) };
    this.requests.push(seen);
    const answer = this.#answer(seen);
    if (answer === 'silent') return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
    response.end(answer.text ?? JSON.stringify(answer.json));
  }
}
