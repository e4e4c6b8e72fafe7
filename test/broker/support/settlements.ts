// Owns the count of how often each request of a test was settled: whatever the network does, once. Runs in the test's thread.

import assert from 'node:assert/strict';
import type { Api, Future, KafkaClient, SendOptions } from '../../../src/index.ts';
import { KafkaClientError } from '../../../src/index.ts';
import { waitFor } from '../../helpers/wait-for.ts';

interface Sent {
  readonly what: string;
  settled: number;
  error: Error | null;
  /** Refused at the call: it never was a request. */
  readonly isRefused: boolean;
}

export interface Outcome {
  readonly succeeded: number;
  readonly refused: number;
  /** Of accepted requests, in the order they were sent. */
  readonly errors: readonly Error[];
}

export class Settlements {
  readonly #client: KafkaClient;
  readonly #sent: Sent[] = [];

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  /** As the client's own. */
  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    options?: SendOptions,
  ): Future<Response> {
    const future = this.#client.send(nodeId, api, request, options);
    const isRefused = future.isDone;
    const sent: Sent = { what: `${api.name} ${this.#sent.length}`, settled: 0, error: null, isRefused };
    this.#sent.push(sent);
    return future.addBoth((outcome) => {
      sent.settled++;
      if (outcome instanceof Error) sent.error = outcome;
    });
  }

  get pending(): number {
    return this.#sent.filter(({ settled }) => settled === 0).length;
  }

  /** Waits for all of them; fails if one is never settled, or twice, or with an error that is none of the client's. */
  async finish(): Promise<Outcome> {
    await waitFor('every request to be settled', () => this.pending === 0);
    // What might still be on its way would come before the answer to this.
    await this.#client.poll(0);
    for (const { what, settled, error } of this.#sent) {
      assert.equal(settled, 1, `${what} was settled ${settled} times`);
      if (error !== null) assert.ok(error instanceof KafkaClientError, `${what}: ${error.stack}`);
    }
    assert.equal(this.#client.inFlightRequestCount(), 0);
    const accepted = this.#sent.filter(({ isRefused }) => !isRefused);
    const errors = accepted.map(({ error }) => error).filter((error) => error !== null);
    return { succeeded: accepted.length - errors.length, refused: this.#sent.length - accepted.length, errors };
  }
}
