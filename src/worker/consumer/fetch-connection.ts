// Owns one connection for fetches, with its session. Network thread. Must not decide what is fetched: fetcher.ts does.

import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { Fetch } from '../../protocol/flat/generated/apis.ts';
import type { BrokerRequests, Destination } from '../client/broker-requests.ts';
import { FetchSession } from './fetch-session.ts';

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
