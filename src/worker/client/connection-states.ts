// Owns when a node may be connected to: backoff, setup timeout, addresses left to try, throttling, last error. Network
// thread. Must not open anything or read a clock.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { TlsAuthenticationError } from '../../common/errors/errors.ts';

export type BackoffConfig = Pick<
  KafkaClientConfig,
  'reconnectBackoffMs' | 'reconnectBackoffMaxMs' | 'connectionSetupTimeoutMs' | 'connectionSetupTimeoutMaxMs'
>;

/**
 * What ended an attempt: its deadline, a broker's refusal of our login, a peer that closes on the newest version of the first
 * question, as some do that only know older ones, or anything else.
 */
export type AttemptEnd = 'setup timeout' | 'refusal' | 'version refusal' | 'other';

const jitter = 0.2;

/** Longer than any quota of a broker asks for: those end with their windows, 11 s by default. */
export const maxThrottleMs = 5 * 60_000;

/** Exponential growth from `base`, doubling per failure, capped at `max`, then 20 % of jitter (KIP-144, KIP-601). */
export function backoffWithJitter(base: number, max: number, failures: number, random: () => number): number {
  if (failures <= 0) return 0;
  if (max <= base) return base;
  const capped = Math.min(base * 2 ** Math.min(failures - 1, 62), max);
  return capped * (1 - jitter + 2 * jitter * random());
}

/** Connection history of one node; it outlives the node's connections. */
export class ConnectionState {
  /** Consecutive attempts that did not lead to a ready connection, plus the connections that were lost since. */
  failures = 0;
  /** Addresses of the last look-up that are still to be tried. */
  untriedAddresses: string[] = [];
  /**
   * The address that was tried last. After a connection ends by a fault, another address is tried first, even if this
   * one had worked.
   */
  lastAddress: string | null = null;
  /** Start of the current or last attempt, on the monotonic clock. */
  lastAttemptAt = Number.NEGATIVE_INFINITY;
  /** No attempt before this time. */
  backoffUntil = Number.NEGATIVE_INFINITY;
  /** The current attempt must be ready by then; Infinity when none is under way. */
  setupDeadline = Number.POSITIVE_INFINITY;
  /** No request before this time, because the broker throttles this client (KIP-219). */
  throttledUntil = Number.NEGATIVE_INFINITY;
  /** Why the last connection or attempt ended; cleared by success. */
  lastError: Error | null = null;
  /** When the last attempt ended because a login or a certificate was refused; -Infinity if it ended otherwise. */
  refusedAt = Number.NEGATIVE_INFINITY;
  /** When the last attempt or connection ended with an error; -Infinity if none has since the last success. */
  failedAt = Number.NEGATIVE_INFINITY;

  readonly #config: BackoffConfig;
  readonly #random: () => number;
  #setupFailures = 0;

  constructor(config: BackoffConfig, random: () => number) {
    this.#config = config;
    this.#random = random;
  }

  /** ms until an attempt is allowed; 0 when it is. */
  delay(now: number): number {
    return Math.max(0, this.backoffUntil - now);
  }

  isThrottled(now: number): boolean {
    return this.throttledUntil > now;
  }

  /** An attempt begins; further addresses of the same look-up share its setup deadline. */
  attemptStarted(now: number, isNextAddress: boolean): void {
    if (isNextAddress) return;
    this.lastAttemptAt = now;
    const { connectionSetupTimeoutMs: base, connectionSetupTimeoutMaxMs: max } = this.#config;
    const limit =
      this.#setupFailures === 0 ? base : backoffWithJitter(base, max, this.#setupFailures + 1, this.#random);
    this.setupDeadline = now + limit;
  }

  /** The connection is ready, but nobody has answered on it yet: this peer may be as bad as the last one. */
  opened(): void {
    this.untriedAddresses = [];
    this.setupDeadline = Number.POSITIVE_INFINITY;
  }

  /**
   * The broker refused a login. Some brokers delay that answer on purpose (KIP-306), so the backoff counts from now.
   */
  refused(now: number): void {
    this.lastAttemptAt = now;
  }

  /** The connection is ready: the history is forgotten. */
  succeeded(): void {
    this.failures = 0;
    this.#setupFailures = 0;
    this.untriedAddresses = [];
    this.setupDeadline = Number.POSITIVE_INFINITY;
    this.backoffUntil = Number.NEGATIVE_INFINITY;
    this.lastError = null;
    this.refusedAt = Number.NEGATIVE_INFINITY;
    this.failedAt = Number.NEGATIVE_INFINITY;
  }

  /** The connection or attempt ended with an error. */
  failed(error: Error, now: number, end: AttemptEnd): void {
    this.failures++;
    if (end === 'setup timeout') this.#setupFailures++;
    this.lastError = error;
    this.failedAt = now;
    const isRefusal = end === 'refusal' || error instanceof TlsAuthenticationError;
    this.refusedAt = isRefusal ? now : Number.NEGATIVE_INFINITY;
    this.setupDeadline = Number.POSITIVE_INFINITY;
    this.untriedAddresses = [];
    const { reconnectBackoffMs: base, reconnectBackoffMaxMs: max } = this.#config;
    // The backoff counts from the start of the attempt, so that a long-lived connection that drops may be opened
    // again at once.
    const from = this.lastAttemptAt === Number.NEGATIVE_INFINITY ? now : this.lastAttemptAt;
    this.backoffUntil = from + backoffWithJitter(base, max, this.failures, this.#random);
  }

  /** The connection was closed on purpose: no failure, no backoff. */
  closedOnPurpose(): void {
    this.setupDeadline = Number.POSITIVE_INFINITY;
    this.untriedAddresses = [];
    this.lastAddress = null;
  }

  /** The connection was closed on purpose to begin anew: the history is forgotten. */
  forgotten(now: number): void {
    this.closedOnPurpose();
    this.failures = 0;
    this.backoffUntil = now;
    this.throttledUntil = now;
    this.lastError = null;
    this.refusedAt = Number.NEGATIVE_INFINITY;
    this.failedAt = Number.NEGATIVE_INFINITY;
  }

  /** Returns by how many ms this lengthens the wait; a broker can make nobody wait for longer than `maxThrottleMs`. */
  throttle(throttleTimeMs: number, now: number): number {
    const before = Math.max(this.throttledUntil, now);
    this.throttledUntil = Math.max(before, now + Math.min(throttleTimeMs, maxThrottleMs));
    return this.throttledUntil - before;
  }
}
