// Owns the search for the group's coordinator. Forgets the coordinator when it turns out to be wrong. Network thread.
// Source: protocol guide, FindCoordinator; KIP-699 (several keys).

import { errorFor, GroupFatalError, UnsupportedVersionError } from '../../common/errors/errors.ts';
import { FindCoordinator } from '../../protocol/flat/generated/apis.ts';
import type { FindCoordinatorResponseView } from '../../protocol/flat/generated/find-coordinator.ts';
import { anyone, type BrokerRequest, type Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { RetryWait } from './backoff.ts';
import { isBrokerFault } from './classic-actions.ts';
import { codes } from './codes.ts';

const groupLane = 'group';
const groupKeyType = 0;
const keysVersion = 4;

export interface CoordinatorSettings {
  readonly groupId: string;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
}

export class Coordinator {
  /** The coordinator has a lane of its own, so that heartbeats do not wait behind fetches or other requests. */
  to: Destination | null = null;
  readonly #host: RoleHost;
  readonly #settings: CoordinatorSettings;
  readonly #onFatal: (error: Error) => void;
  /** False for older brokers: they are asked about one key at a time. */
  #hasKeys = true;
  #isAsking = false;
  /** How many requests of `send` have no answer yet, by broker: a former coordinator may still owe some. */
  readonly #unanswered = new Map<number, number>();
  #isWanted = false;
  /** The brokers have refused the look-up for good. */
  #isRefused = false;
  readonly #wait: RetryWait;
  /** The error of the last look-up. Null if it succeeded. */
  lastError: Error | null = null;

  constructor(host: RoleHost, settings: CoordinatorSettings, onFatal: (error: Error) => void) {
    this.#host = host;
    this.#settings = settings;
    this.#onFatal = onFatal;
    this.#wait = new RetryWait(settings.retryBackoffMs, () => host.random());
  }

  /** The place to which requests can be sent now. Null while it is not known or not connected; then a look-up or a connection is under way. */
  ready(now: number): Destination | null {
    if (this.to === null) {
      this.#isWanted = true;
      this.poll(now);
      return null;
    }
    if (this.#host.requests.isReady(this.to, now)) return this.to;
    const error = this.#host.requests.lastError(this.to);
    if (error !== null && this.#host.requests.inFlight(this.to) === 0) {
      // The coordinator cannot be reached. Another broker may be the coordinator by now.
      this.lastError = error;
      this.unknown();
      this.#wait.failed(now);
    }
    return null;
  }

  /** Sends a request of this consumer to the place that `ready` has returned. */
  send<Request, Response>(request: BrokerRequest<Request, Response>, now: number): void {
    const { brokerId } = request.to;
    const count = (change: 1 | -1): void => {
      this.#unanswered.set(brokerId, this.#unansweredBy(brokerId) + change);
    };
    count(1);
    const sent: BrokerRequest<Request, Response> = {
      ...request,
      onResponse: (...answer) => {
        count(-1);
        request.onResponse(...answer);
      },
      onFailure: (...failure) => {
        count(-1);
        request.onFailure(...failure);
      },
    };
    this.#host.requests.send(sent, now);
  }

  /** Whether all requests on that connection are this consumer's. An application may use the lane, too. */
  isAloneAt(to: Destination): boolean {
    return this.#host.requests.inFlight(to) <= this.#unansweredBy(to.brokerId);
  }

  #unansweredBy(brokerId: number): number {
    return this.#unanswered.get(brokerId) ?? 0;
  }

  /** Ends the connection, and makes another one. What is under way fails, but the coordinator is the same. */
  renewConnection(to: Destination, reason: Error, now: number): void {
    const known = this.to;
    this.#host.requests.disconnect(to, reason, now);
    // Whoever has failed has made it unknown.
    this.to = known;
    this.#host.wake();
  }

  /** Why requests do not get to a coordinator; null if nothing has failed. */
  whyNotReady(): Error | null {
    const { requests } = this.#host;
    return this.lastError ?? (this.to && requests.lastError(this.to)) ?? requests.lastError(anyone);
  }

  poll(now: number): void {
    if (!this.#isWanted || this.#isRefused || this.to !== null || this.#isAsking || now < this.#wait.until) return;
    if (!this.#host.requests.isReady(anyone, now)) return;
    const hasKeys = this.#hasKeys;
    this.#isAsking = true;
    const { groupId, requestTimeoutMs } = this.#settings;
    this.#host.requests.send(
      {
        to: anyone,
        api: FindCoordinator,
        request: hasKeys
          ? { keyType: groupKeyType, coordinatorKeys: [groupId] }
          : { key: groupId, keyType: groupKeyType },
        ...(hasKeys ? { minVersion: keysVersion } : { maxVersion: keysVersion - 1 }),
        timeoutMs: requestTimeoutMs,
        onResponse: (response, _version, at) => this.#onResponse(response!, at),
        onFailure: (error, at) => {
          this.#isAsking = false;
          this.lastError = error;
          if (!(error instanceof UnsupportedVersionError)) this.#wait.failed(at);
          else if (this.#hasKeys) this.#hasKeys = false;
          else this.#refused(error);
        },
      },
      now,
    );
  }

  nextDeadline(now: number): number {
    if (!this.#isWanted || this.#isRefused || this.#isAsking) return Number.POSITIVE_INFINITY;
    if (this.to === null && this.#wait.until > now) return this.#wait.until;
    // A broker that is ready is no reason for a round: whoever has a request for it has sent it.
    const readyAt = this.#host.requests.readyAt(this.to ?? anyone, now);
    return readyAt > now ? readyAt : Number.POSITIVE_INFINITY;
  }

  /** Must be called when the broker is not the coordinator any more or does not answer. */
  unknown(): void {
    this.to = null;
    this.#isWanted = true;
  }

  #onResponse(response: FindCoordinatorResponseView, now: number): void {
    this.#isAsking = false;
    const { errorCode, nodeId } = response.coordinators.length > 0 ? response.coordinators.at(0) : response;
    if (errorCode === codes.none) {
      this.to = { brokerId: nodeId, lane: groupLane };
      this.#wait.succeeded();
      // A broker that is named, and denies it, must not be asked for as fast as it answers.
      this.#wait.notBefore(now + this.#settings.retryBackoffMs);
      this.lastError = null;
      return;
    }
    const error = errorFor(errorCode)!;
    this.lastError = error;
    if (error.retriable || isBrokerFault(errorCode)) this.#wait.failed(now);
    else this.#refused(error);
  }

  /** Nothing is asked any more, whoever wants a coordinator. */
  #refused(error: Error): void {
    this.#isRefused = true;
    const { groupId } = this.#settings;
    this.#onFatal(new GroupFatalError(`the group ${groupId} cannot be used: ${error.message}`, { cause: error }));
  }
}
