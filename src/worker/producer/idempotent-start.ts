// Owns the request for a producer id without transactions. Any broker can answer it. Network thread.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { Cancelled, errorFor, KafkaClientError } from '../../common/errors/errors.ts';
import { mainLane } from '../../common/node-ids.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { InitProducerId } from '../../protocol/flat/generated/apis.ts';
import { anyBroker } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import type { ProducerReport } from './producer-report.ts';

const to = { brokerId: anyBroker, lane: mainLane };
/** The transaction timeout in the request. There are no transactions, so it is the maximum. */
const noTimeoutMs = maxInt32;

export class IdempotentStart {
  /** ms on the monotonic clock. */
  nextDeadline = Number.POSITIVE_INFINITY;
  readonly #config: ProducerConfig;
  readonly #host: RoleHost;
  readonly #numbers: ProducerNumbers;
  readonly #report: ProducerReport;
  /** Called with an error that is not retriable: waiting records fail, and later records try again. */
  readonly #onRefused: (error: Error, now: number) => void;
  #isAsking = false;
  #retryAt = 0;
  #failures = 0;

  constructor(
    config: ProducerConfig,
    host: RoleHost,
    numbers: ProducerNumbers,
    report: ProducerReport,
    onRefused: (error: Error, now: number) => void,
  ) {
    this.#config = config;
    this.#host = host;
    this.#numbers = numbers;
    this.#report = report;
    this.#onRefused = onRefused;
  }

  /** Sends the request if an id is needed and no request is under way. */
  poll(now: number): void {
    this.nextDeadline = Number.POSITIVE_INFINITY;
    const isNeeded = this.#numbers.poll(null);
    if (!isNeeded || this.#isAsking) return;
    const { requests } = this.#host;
    if (now < this.#retryAt || !requests.isReady(to, now)) {
      this.nextDeadline = Math.max(this.#retryAt, requests.readyAt(to, now));
      return;
    }
    this.#isAsking = true;
    requests.send(
      {
        to,
        api: InitProducerId,
        request: { transactionalId: null, transactionTimeoutMs: noTimeoutMs },
        timeoutMs: this.#config.requestTimeoutMs,
        onResponse: (response, _version, at) => {
          this.#isAsking = false;
          const { errorCode, producerId, producerEpoch } = response!;
          if (errorCode !== 0) {
            this.#failed(errorFor(errorCode)!, at);
            return;
          }
          this.#failures = 0;
          this.#numbers.take(producerId.low, producerId.high, producerEpoch);
          this.#report.state('debug', 'producer-id', `the producer has id ${producerId} and epoch ${producerEpoch}`);
        },
        onFailure: (error, at) => {
          this.#isAsking = false;
          this.#failed(error, at);
        },
      },
      now,
    );
  }

  #failed(error: Error, now: number): void {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#config;
    const backoffMs = Math.min(retryBackoffMs * 2 ** Math.min(this.#failures, 30), retryBackoffMaxMs);
    this.#failures++;
    this.#retryAt = now + backoffMs * (0.8 + 0.4 * this.#host.random());
    // Cancelled: the client is closed, which is no fault.
    if (error instanceof Cancelled || (error instanceof KafkaClientError && error.retriable)) return;
    this.#report.state('error', 'producer-id-refused', `no producer id: ${error.message}`, error);
    this.#onRefused(error, now);
  }
}
