// Owns when a membership in the classic protocol sends heartbeats, and when its coordinator counts as silent. Network thread. Must
// not decide what an answer means.

import type { RoleHost } from '../client/role.ts';
import { RetryWait } from './backoff.ts';
import type { ClassicIdentity, ClassicRequests, ClassicSettings } from './classic-requests.ts';
import type { Coordinator } from './coordinator.ts';
import { HeartbeatTimes } from './heartbeat-times.ts';

/** Is not called for an identity that is over. */
export type OnBeat = (errorCode: number, durationMs: number, now: number) => void;

export class ClassicHeartbeat {
  readonly times = new HeartbeatTimes();
  readonly #requests: ClassicRequests;
  readonly #coordinator: Coordinator;
  readonly #settings: ClassicSettings;
  readonly #who: () => ClassicIdentity;
  readonly #onBeat: OnBeat;
  readonly #wait: RetryWait;
  #isInFlight = false;
  /** The last heartbeat has failed, so the next one does not wait for the interval: a session has room for few intervals. */
  #isAgain = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(
    host: Pick<RoleHost, 'random'>,
    requests: ClassicRequests,
    coordinator: Coordinator,
    settings: ClassicSettings,
    who: () => ClassicIdentity,
    onBeat: OnBeat,
  ) {
    this.#requests = requests;
    this.#coordinator = coordinator;
    this.#settings = settings;
    this.#who = who;
    this.#onBeat = onBeat;
    this.#wait = new RetryWait(settings.retryBackoffMs, () => host.random());
  }

  /** The coordinator has answered a request as one of a member. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#wait.succeeded();
    this.times.accepted(now);
  }

  /** A generation begins. The join counts as a heartbeat. */
  joined(now: number): void {
    this.heard(now);
    this.#sentAt = now;
    this.#isAgain = false;
  }

  /** The next heartbeat is sent as soon as there is a coordinator. */
  again(): void {
    this.#isAgain = true;
  }

  /** The same after a wait, which grows with each failure. */
  failed(now: number): void {
    this.#isAgain = true;
    this.#wait.failed(now);
  }

  nextDeadline(now: number): number {
    const dueAt = this.#dueAt;
    if (dueAt > now) return dueAt;
    // It waits for its coordinator, for as long as the session lasts.
    const silentAt = this.#silentAt;
    return silentAt > now ? silentAt : Number.POSITIVE_INFINITY;
  }

  poll(now: number): void {
    if (now < this.#dueAt) return;
    if (now >= this.#silentAt) {
      this.#coordinator.unknown();
      this.#heardAt = now;
    }
    const to = this.#coordinator.ready(now);
    if (to === null) return;
    this.#isInFlight = true;
    this.#isAgain = false;
    this.#sentAt = now;
    this.times.sent(now);
    const who = this.#who();
    const isCurrent = (): boolean => {
      this.#isInFlight = false;
      const { memberId, generation } = this.#who();
      return who.memberId === memberId && who.generation === generation;
    };
    this.#requests.heartbeat(
      to,
      who,
      {
        onResponse: (errorCode, at) => {
          if (isCurrent()) this.#onBeat(errorCode, at - now, at);
        },
        onFailure: (_error, at) => {
          if (!isCurrent()) return;
          this.#coordinator.unknown();
          this.failed(at);
        },
      },
      now,
    );
  }

  /** Infinity while a heartbeat is under way. */
  get #dueAt(): number {
    if (this.#isInFlight) return Number.POSITIVE_INFINITY;
    return this.#isAgain ? this.#wait.until : this.#sentAt + this.#settings.heartbeatIntervalMs;
  }

  get #silentAt(): number {
    return this.#heardAt + this.#settings.sessionTimeoutMs;
  }
}
