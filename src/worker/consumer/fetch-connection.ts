// Owns a consumer's connections for fetches, each with its session. Network thread. Must not decide what is fetched: fetcher.ts does.

import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { Fetch } from '../../protocol/flat/generated/apis.ts';
import type { BrokerRequests, Destination } from '../client/broker-requests.ts';
import { FetchSession } from './fetch-session.ts';
import { fetchLane } from './log-questions.ts';

/** Two lanes, so that a partition need not wait for the long poll of other partitions on its broker, or for one that was given up. */
const lanes = [fetchLane, 'fetch-2'] as const;

export class FetchConnection {
  readonly to: Destination;
  readonly session = new FetchSession();
  /** A fetch is under way. */
  isBusy = false;
  /** The bytes that it may bring. */
  askedBytes = 0;

  constructor(to: Destination) {
    this.to = to;
  }

  /** No fetch follows. */
  close(requests: BrokerRequests, timeoutMs: number, now: number): void {
    const { to, session } = this;
    if (this.isBusy) {
      // An application may use this lane, too.
      if (requests.inFlight(to) > 1) return;
      // A long poll is of no use any more. It would only keep the broker and the connection busy.
      requests.disconnect(to, new KafkaProtocolError('the consumer was closed'), now);
      return;
    }
    if (session.id === 0 || !requests.isReady(to, now)) return;
    requests.send(
      {
        to,
        api: Fetch,
        request: {
          maxWaitMs: 0,
          minBytes: 0,
          sessionId: session.id,
          sessionEpoch: -1,
          topics: [],
          forgottenTopicsData: [],
        },
        timeoutMs,
        // The outcome does not matter: without this request the broker drops the session later by itself.
        onResponse: () => {},
        onFailure: () => {},
      },
      now,
    );
  }
}

/** Those of one consumer. */
export class FetchConnections {
  readonly #byPlace = new Map<string, FetchConnection>();

  get all(): Iterable<FetchConnection> {
    return this.#byPlace.values();
  }

  first(brokerId: number): FetchConnection {
    return this.#at(brokerId, lanes[0]);
  }

  /** One to this broker on which no fetch is under way. */
  free(brokerId: number): FetchConnection | undefined {
    return lanes.map((lane) => this.#at(brokerId, lane)).find(({ isBusy }) => !isBusy);
  }

  /** No fetch follows. */
  close(requests: BrokerRequests, timeoutMs: number, now: number): void {
    for (const connection of this.#byPlace.values()) connection.close(requests, timeoutMs, now);
    this.#byPlace.clear();
  }

  #at(brokerId: number, lane: string): FetchConnection {
    const key = `${brokerId} ${lane}`;
    let connection = this.#byPlace.get(key);
    if (connection === undefined) {
      connection = new FetchConnection({ brokerId, lane });
      this.#byPlace.set(key, connection);
    }
    return connection;
  }
}
