// Owns when a membership in the classic protocol sends heartbeats, and when its coordinator counts as silent. Network thread. Must
// not decide what an answer means.

import type { ClassicIdentity, ClassicRequests, ClassicSettings } from './classic-requests.ts';
import type { Coordinator } from './coordinator.ts';

export interface HeartbeatOutcome {
  /** Neither of the two is called for an identity that is over. */
  onAnswer(errorCode: number, durationMs: number, now: number): void;
  onFailure(now: number): void;
}

export class ClassicHeartbeat {
  readonly #requests: ClassicRequests;
  readonly #coordinator: Coordinator;
  readonly #settings: ClassicSettings;
  readonly #who: () => ClassicIdentity;
  readonly #outcome: HeartbeatOutcome;
  #isInFlight = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(
    requests: ClassicRequests,
    coordinator: Coordinator,
    settings: ClassicSettings,
    who: () => ClassicIdentity,
    outcome: HeartbeatOutcome,
  ) {
    this.#requests = requests;
    this.#coordinator = coordinator;
    this.#settings = settings;
    this.#who = who;
    this.#outcome = outcome;
  }

  /** The coordinator has answered a request. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** A generation begins. The join counts as a heartbeat. */
  joined(now: number): void {
    this.#heardAt = now;
    this.#sentAt = now;
  }

  /** The time of the next heartbeat. Infinity while one is under way. */
  get dueAt(): number {
    return this.#isInFlight ? Number.POSITIVE_INFINITY : this.#sentAt + this.#settings.heartbeatIntervalMs;
  }

  poll(now: number): void {
    if (now < this.dueAt) return;
    if (now - this.#heardAt >= this.#settings.sessionTimeoutMs) {
      this.#coordinator.unknown();
      this.#heardAt = now;
    }
    const to = this.#coordinator.ready(now);
    if (to === null) return;
    this.#isInFlight = true;
    this.#sentAt = now;
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
          if (isCurrent()) this.#outcome.onAnswer(errorCode, at - now, at);
        },
        onFailure: (_error, at) => {
          if (isCurrent()) this.#outcome.onFailure(at);
        },
      },
      now,
    );
  }
}
