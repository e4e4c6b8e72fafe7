// Owns the pushing of metrics of one producer or consumer (KIP-714): asks a broker what it wants, sends that at the broker's interval, and
// once more at the end. Network thread. Must not know what is measured. Nobody waits for it, and its failures are nobody's failures.

import { errorFor } from '../../common/errors/errors.ts';
import { GetTelemetrySubscriptions } from '../../protocol/flat/generated/get-telemetry-subscriptions.ts';
import { PushTelemetry } from '../../protocol/flat/generated/push-telemetry.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { type Destination, mainLane } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { Log } from '../report/log.ts';
import type { ConnectionNumbers } from './connection-numbers.ts';
import { isHeard, type PushOpening, takesMetrics } from './metrics-push.ts';
import { readNumbers } from './numbers.ts';
import { makePayload } from './payload.ts';
import { SentTotals } from './sent-totals.ts';
import { defaultIntervalMs, readSubscription, type Subscription } from './subscription.ts';

/** The error codes after which pushing goes on. */
const codes = {
  unsupportedCompressionType: 76,
  throttlingQuotaExceeded: 89,
  unknownSubscriptionId: 117,
  telemetryTooLarge: 118,
} as const;
/** When to look again for a broker with a ready connection, at first. The time doubles while there is none. */
const firstLookAgainMs = 200;
const maxLookAgainMs = 5000;

export interface ReporterParts extends PushOpening {
  readonly host: RoleHost;
  readonly connections: ConnectionNumbers;
  readonly log: Pick<Log, 'write'>;
  /** ms. */
  readonly requestTimeoutMs: number;
}

export class Reporter {
  readonly #parts: ReporterParts;
  readonly #sent = new SentTotals();
  #instanceId = zeroUuid;
  /** What the broker wants. Null: it must be asked. */
  #subscription: Subscription | null = null;
  /** That of the last answer. */
  #intervalMs = defaultIntervalMs;
  /** When the next request is due. Infinity: never again. */
  #dueAt: number;
  /** The broker that is asked and sent to, for as long as its connection is ready. */
  #brokerId = -1;
  #lookAgainMs = firstLookAgainMs;
  /** Whether a request awaits its answer. */
  #isUnderWay = false;
  /** The last request was made at once because of an error, without a wait. */
  #isHasty = false;
  /** Notes that the broker has what was pushed last. Null: that is noted, or it has not. */
  #confirm: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: ReporterParts, now: number) {
    this.#parts = parts;
    this.#dueAt = now;
  }

  poll(now: number): void {
    if (this.#isUnderWay || now < this.#dueAt || this.#isClosed) return;
    const to = this.#broker(now);
    if (to === null) {
      this.#dueAt = now + this.#lookAgainMs;
      this.#lookAgainMs = Math.min(this.#lookAgainMs * 2, maxLookAgainMs);
      return;
    }
    this.#lookAgainMs = firstLookAgainMs;
    if (this.#subscription === null) this.#ask(to, now);
    else this.#push(to, this.#subscription, now);
  }

  nextDeadline(): number {
    return this.#isUnderWay || this.#isClosed ? Number.POSITIVE_INFINITY : this.#dueAt;
  }

  /** Sends the last numbers if a broker wants them and is connected. */
  close(now: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#confirmed();
    const { requests } = this.#parts.host;
    const to = { brokerId: this.#brokerId, lane: mainLane };
    if (this.#subscription === null || this.#dueAt === Number.POSITIVE_INFINITY || requests.readyAt(to, now) > now)
      return;
    this.#push(to, this.#subscription, now);
    // The connection may be closed as soon as this thread goes on.
    requests.flush(to, now);
  }

  /** The broker to use now. Null: none is ready; a connection is then begun. */
  #broker(now: number): Destination | null {
    const { host } = this.#parts;
    const { requests, cluster } = host;
    const ids = [...cluster.brokers.keys()];
    const taking = ids.filter((id) => takesMetrics(requests, id));
    // Without work, brokers were never connected to. What one takes is known when it is.
    const all = taking.length > 0 ? taking : ids.filter((id) => !isHeard(requests, id));
    if (all.length === 0) return null;
    const isReady = (brokerId: number): boolean => requests.readyAt({ brokerId, lane: mainLane }, now) <= now;
    if (!all.includes(this.#brokerId)) this.#brokerId = all[Math.floor(host.random() * all.length)]!;
    if (!isReady(this.#brokerId)) this.#brokerId = all.find(isReady) ?? this.#brokerId;
    const to = { brokerId: this.#brokerId, lane: mainLane };
    return requests.isReady(to, now) && takesMetrics(requests, this.#brokerId) ? to : null;
  }

  #ask(to: Destination, now: number): void {
    this.#isUnderWay = true;
    this.#parts.host.requests.send(
      {
        to,
        api: GetTelemetrySubscriptions,
        request: { clientInstanceId: this.#instanceId },
        timeoutMs: this.#parts.requestTimeoutMs,
        onResponse: (response, _version, at) =>
          this.#guarded(() => {
            this.#isUnderWay = false;
            if (this.#isClosed) return;
            if (response!.errorCode !== 0) this.#refused(response!.errorCode, at);
            else this.#subscribed(readSubscription(response!), response!.clientInstanceId, at);
          }),
        onFailure: (_error, at) => this.#guarded(() => this.#failed(at)),
      },
      now,
    );
  }

  #subscribed(subscription: Subscription, instanceId: string, now: number): void {
    const { host, log, source, connections, onInstanceId } = this.#parts;
    const { intervalMs, isDelta, isEmpty } = subscription;
    this.#isHasty = false;
    if (this.#instanceId === zeroUuid) {
      if (instanceId === zeroUuid) {
        this.#stop('the broker gave no client instance id');
        return;
      }
      this.#instanceId = instanceId;
      onInstanceId(instanceId);
      const text = `brokers know the metrics of this ${source.kind} under the client instance id ${instanceId}`;
      log.write('debug', 'metrics-subscribed', text);
    }
    this.#intervalMs = intervalMs;
    if (isEmpty) {
      this.#again(now + intervalMs);
      return;
    }
    if (!isDelta) this.#sent.clear();
    this.#subscription = subscription;
    source.measure(now);
    connections.measure(now);
    // Clients that start together do not push together.
    this.#dueAt = now + intervalMs * (0.5 + host.random());
  }

  #push(to: Destination, subscription: Subscription, now: number): void {
    const { host, source, connections, log, requestTimeoutMs } = this.#parts;
    const wallNow = host.wallClock();
    const numbers = readNumbers(source, connections, subscription.wants, { now, wallNow });
    const { isDelta, compressionTypes, maxBytes } = subscription;
    const { metrics, confirm } = isDelta
      ? this.#sent.differences(numbers, wallNow)
      : { metrics: numbers, confirm: () => {} };
    const pushed = { resource: source.labels(), metrics, atMs: wallNow, isDelta };
    const payload = makePayload(pushed, compressionTypes, maxBytes);
    this.#dueAt = now + subscription.intervalMs;
    if (payload === null || payload.leftOut > 0) {
      const what = payload === null ? 'no metrics are' : `${payload.leftOut} of ${metrics.length} metrics are not`;
      log.write('debug', 'metrics-too-large', `${what} pushed: the broker takes at most ${maxBytes} bytes`);
    }
    if (payload === null) return;
    this.#isUnderWay = true;
    this.#confirm = () => confirm(metrics.length - payload.leftOut);
    host.requests.send(
      {
        to,
        api: PushTelemetry,
        request: {
          clientInstanceId: this.#instanceId,
          subscriptionId: subscription.id,
          terminating: this.#isClosed,
          compressionType: payload.compressionType,
          metrics: payload.bytes,
        },
        timeoutMs: requestTimeoutMs,
        onResponse: (response, _version, at) => this.#guarded(() => this.#pushed(response!.errorCode, at)),
        onFailure: (_error, at) =>
          this.#guarded(() => {
            // The broker may have them: what it may have is not told twice.
            this.#confirmed();
            this.#failed(at);
          }),
      },
      now,
    );
  }

  #pushed(errorCode: number, now: number): void {
    this.#isUnderWay = false;
    if (this.#isClosed) return;
    if (errorCode !== 0) {
      this.#confirm = null;
      this.#refused(errorCode, now);
      return;
    }
    this.#isHasty = false;
    this.#confirmed();
    this.#dueAt = now + this.#intervalMs;
  }

  /** Other requests are under way on the connection of this answer. */
  #guarded(told: () => void): void {
    try {
      told();
    } catch (error) {
      this.#isClosed = true;
      this.#parts.onFault(error);
    }
  }

  #confirmed(): void {
    this.#confirm?.();
    this.#confirm = null;
  }

  /** The broker has answered with an error. */
  #refused(errorCode: number, now: number): void {
    switch (errorCode) {
      case codes.unknownSubscriptionId:
      case codes.unsupportedCompressionType:
        // A broker that answers everything so is not asked without end.
        this.#again(this.#isHasty ? now + this.#intervalMs : now);
        this.#isHasty = !this.#isHasty;
        break;
      case codes.telemetryTooLarge:
      case codes.throttlingQuotaExceeded:
        this.#again(now + this.#intervalMs);
        break;
      default:
        this.#stop(errorFor(errorCode)?.message ?? `error ${errorCode}`);
    }
  }

  /** No answer came, or the broker does not know the request any more. */
  #failed(now: number): void {
    this.#isUnderWay = false;
    if (!this.#isClosed) this.#again(now + this.#intervalMs);
  }

  /** A broker is asked at that time what is wanted. */
  #again(at: number): void {
    this.#subscription = null;
    this.#dueAt = at;
  }

  #stop(why: string): void {
    this.#again(Number.POSITIVE_INFINITY);
    this.#parts.log.write(
      'warn',
      'metrics-push-ended',
      `this ${this.#parts.source.kind} pushes no metrics any more: ${why}`,
    );
  }
}
