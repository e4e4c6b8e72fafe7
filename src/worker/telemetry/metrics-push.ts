// Owns the beginning and the end of the pushing of metrics of one producer or consumer (KIP-714): looks for a broker that takes metrics, and
// only then loads the code that pushes. Network thread. Most brokers take none: for these it must cost nothing.

import { anyBroker, type BrokerRequests } from '../client/broker-requests.ts';
import type { Role, RoleHost } from '../client/role.ts';
import type { Reporter } from './reporter.ts';
import type { PushSource } from './source.ts';

/** A program starts faster if its first record waits for nothing else, and what lives for less than that has little to tell. */
const firstLookMs = 1000;
/** Brokers may begin to take metrics at any time. */
const lookEveryMs = 10_000;

/** What a reporter is opened with. */
export interface PushOpening {
  readonly source: PushSource;
  /** Called once, with 22 characters of base64url: the brokers know the pushed metrics under this id. */
  readonly onInstanceId: (id: string) => void;
  /** Called with what was thrown when an answer came. The pushing then ends, and not the connection of that answer. */
  readonly onFault: (error: unknown) => void;
}

/** What all of a network thread have in common that push their metrics. */
export interface Pushing {
  /** Requests go over the connections that all threads share. */
  readonly host: RoleHost;
  /** Loads the code that pushes at the first call, and makes a reporter. */
  open(opening: PushOpening, now: number): Reporter | Promise<Reporter>;
  /** The code could not be loaded, and is tried again later; or the last numbers could not be sent. */
  failed(error: unknown): void;
}

/** Key numbers alone: with the Api objects, the code of their messages would come along. */
const neededApis = [{ key: 71 }, { key: 72 }] as const;
const apiVersions = { key: 18 } as const;

/** Whether a broker, or anybody, has said what it takes. */
export function isHeard(requests: Pick<BrokerRequests, 'versionRange'>, brokerId: number): boolean {
  return requests.versionRange(brokerId, apiVersions) !== null;
}

/** Whether a broker, or whoever is connected, has said that it takes metrics. */
export function takesMetrics(requests: Pick<BrokerRequests, 'versionRange'>, brokerId: number): boolean {
  return neededApis.every((api) => requests.versionRange(brokerId, api) !== null);
}

export class MetricsPush implements Role {
  readonly #opening: Omit<PushOpening, 'onFault'>;
  readonly #pushing: Pushing;
  #reporter: Reporter | null = null;
  #lookAt: number;
  #hasLooked = false;
  #isLoading = false;
  #isClosed = false;
  /** What its reporter has thrown outside of its turn. */
  #fault: { readonly error: unknown } | null = null;

  constructor(opening: Omit<PushOpening, 'onFault'>, pushing: Pushing, now: number) {
    this.#opening = opening;
    this.#pushing = pushing;
    this.#lookAt = now + firstLookMs;
  }

  poll(now: number): void {
    if (this.#fault !== null) throw this.#fault.error;
    if (this.#reporter !== null) this.#reporter.poll(now);
    else if (now >= this.#lookAt && !this.#isLoading && !this.#isClosed) this.#look(now);
  }

  /**
   * Whoever has no work is looked for a broker once, too. No thread wakes for more than that: what a broker says is news when it is
   * connected, and a round follows.
   */
  nextDeadline(): number {
    if (this.#reporter !== null) return this.#reporter.nextDeadline();
    return this.#hasLooked || this.#isClosed ? Number.POSITIVE_INFINITY : this.#lookAt;
  }

  /** The producer or consumer ends: its last numbers are sent at once, if brokers want them. Nobody has to wait for that. */
  close(now: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#reporter?.close(now);
    } catch (error) {
      // The producer or consumer ends as if nobody had wanted its numbers.
      this.#pushing.failed(error);
    }
  }

  /** Its `poll` has thrown. */
  fail(): void {
    this.#isClosed = true;
    this.#reporter = null;
  }

  #look(now: number): void {
    const { requests, cluster } = this.#pushing.host;
    this.#hasLooked = true;
    // Nobody is connected: the next round may bring somebody.
    if (!isHeard(requests, anyBroker)) return;
    this.#lookAt = now + lookEveryMs;
    // A client without work is connected to a bootstrap server only.
    for (const brokerId of [anyBroker, ...cluster.brokers.keys()]) {
      if (!takesMetrics(requests, brokerId)) continue;
      this.#start(now);
      return;
    }
  }

  #start(now: number): void {
    const onFault = (error: unknown): void => {
      this.#fault = { error };
      this.#pushing.host.wake();
    };
    const opened = this.#pushing.open({ ...this.#opening, onFault }, now);
    if (!(opened instanceof Promise)) {
      this.#started(opened);
      return;
    }
    this.#isLoading = true;
    opened.then(
      (reporter) => this.#started(reporter),
      (error: unknown) => {
        this.#isLoading = false;
        this.#pushing.failed(error);
      },
    );
  }

  #started(reporter: Reporter): void {
    this.#isLoading = false;
    if (this.#isClosed) return;
    this.#reporter = reporter;
    this.#pushing.host.wake();
  }
}
