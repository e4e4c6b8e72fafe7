// Owns an authorization server that knows one grant: client credentials. Runs in the test's thread, on loopback.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: URLSearchParams;
}

/** What it answers: a status and JSON, text that is none, or nothing at all. */
export type TokenAnswer = { readonly status?: number; readonly json?: unknown; readonly text?: string } | 'silent';

export class TokenEndpoint {
  readonly requests: TokenRequest[] = [];
  readonly #server: Server;
  #answer: (request: TokenRequest) => TokenAnswer;

  private constructor(answer: (request: TokenRequest) => TokenAnswer) {
    this.#answer = answer;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(answer: (request: TokenRequest) => TokenAnswer): Promise<TokenEndpoint> {
    const endpoint = new TokenEndpoint(answer);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
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
