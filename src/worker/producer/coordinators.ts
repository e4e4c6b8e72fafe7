// Owns the search for coordinators of a transactional id and of groups: which are known, which look-ups are under way, when to retry.
// Network thread. Must not know the requests that are sent to coordinators.

import { mainLane } from '../../common/node-ids.ts';
import { FindCoordinator } from '../../protocol/flat/generated/apis.ts';
import { anyBroker } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';

/** Key types of FindCoordinator. */
export const GROUP = 0;
export const TRANSACTION = 1;
export type CoordinatorType = typeof GROUP | typeof TRANSACTION;

const to = { brokerId: anyBroker, lane: mainLane };
/** The newest version with one key for each request. */
const maxOneKeyVersion = 3;

interface Search {
  readonly type: CoordinatorType;
  readonly key: string;
  /** -1: the coordinator is not known. */
  brokerId: number;
  isAsking: boolean;
  failures: number;
  retryAt: number;
}

export interface CoordinatorSettings {
  readonly requestTimeoutMs: number;
  /** The wait in ms after so many failures in a row. */
  backoffMs(failures: number): number;
}

export class Coordinators {
  readonly #host: RoleHost;
  readonly #settings: CoordinatorSettings;
  /** Called with an error code that is not retriable. */
  readonly #onRefused: (type: CoordinatorType, key: string, errorCode: number, now: number) => void;
  readonly #isRetriable: (errorCode: number) => boolean;
  readonly #searches = new Map<string, Search>();

  constructor(
    host: RoleHost,
    settings: CoordinatorSettings,
    isRetriable: (errorCode: number) => boolean,
    onRefused: (type: CoordinatorType, key: string, errorCode: number, now: number) => void,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#isRetriable = isRetriable;
    this.#onRefused = onRefused;
  }

  /** The coordinator's broker id. -1 while it is not known; a look-up is then started. */
  find(type: CoordinatorType, key: string, now: number): number {
    const search = this.#search(type, key);
    if (search.brokerId < 0) this.#ask(search, now);
    return search.brokerId;
  }

  /** Must be called when the coordinator has moved. */
  forget(type: CoordinatorType, key: string): void {
    this.#search(type, key).brokerId = -1;
  }

  /** The time at which to look again, in ms on the monotonic clock. */
  readyAt(type: CoordinatorType, key: string, now: number): number {
    const search = this.#search(type, key);
    if (search.isAsking) return Number.POSITIVE_INFINITY;
    return Math.max(search.retryAt, this.#host.requests.readyAt(to, now));
  }

  #search(type: CoordinatorType, key: string): Search {
    const name = `${type} ${key}`;
    let search = this.#searches.get(name);
    if (search === undefined) {
      search = { type, key, brokerId: -1, isAsking: false, failures: 0, retryAt: 0 };
      this.#searches.set(name, search);
    }
    return search;
  }

  #ask(search: Search, now: number): void {
    const { requests } = this.#host;
    if (search.isAsking || now < search.retryAt || !requests.isReady(to, now)) return;
    search.isAsking = true;
    requests.send(
      {
        to,
        api: FindCoordinator,
        request: { key: search.key, keyType: search.type },
        maxVersion: maxOneKeyVersion,
        timeoutMs: this.#settings.requestTimeoutMs,
        onResponse: (response, _version, at) => {
          search.isAsking = false;
          const { errorCode, nodeId } = response!;
          if (errorCode === 0) {
            search.failures = 0;
            search.brokerId = nodeId;
          } else if (this.#isRetriable(errorCode)) {
            this.#failed(search, at);
          } else {
            this.#failed(search, at);
            this.#onRefused(search.type, search.key, errorCode, at);
          }
          this.#host.wake();
        },
        onFailure: (_error, at) => {
          search.isAsking = false;
          this.#failed(search, at);
          this.#host.wake();
        },
      },
      now,
    );
  }

  #failed(search: Search, now: number): void {
    search.retryAt = now + this.#settings.backoffMs(search.failures);
    search.failures++;
  }
}
