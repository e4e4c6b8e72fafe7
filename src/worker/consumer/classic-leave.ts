// Owns how members of the classic protocol leave: each request is sent again until a coordinator has answered it, or its time is over.
// Network thread. Must not know the memberships: they are over, and another may have begun, or be over, too.

import type { JoinGroupResponseView } from '../../protocol/flat/generated/join-group.ts';
import type { Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { RetryWait } from './backoff.ts';
import type { ClassicRequests, ClassicSettings, Outcome } from './classic-requests.ts';
import type { Coordinator } from './coordinator.ts';
import { LeaveLimit, leaveAction, notToldLeave } from './leaving.ts';
import type { MembershipHost } from './membership.ts';

interface Leaving {
  /** Null: it is in an answer that is on its way. */
  memberId: string | null;
  /** That join. */
  readonly join: number;
  limit: LeaveLimit;
  isUnderWay: boolean;
}

/** Waits until nobody leaves any more. */
interface Waiter {
  readonly limit: LeaveLimit;
  readonly done: () => void;
}

export class ClassicLeave {
  readonly #host: RoleHost;
  readonly #parts: Pick<MembershipHost, 'log'>;
  readonly #requests: ClassicRequests;
  readonly #coordinator: Coordinator;
  readonly #wait: RetryWait;
  readonly #all: Leaving[] = [];
  readonly #waiters: Waiter[] = [];
  /** Counts joins. */
  #lastJoin = 0;

  constructor(
    host: RoleHost,
    parts: Pick<MembershipHost, 'log'>,
    requests: ClassicRequests,
    coordinator: Coordinator,
    settings: Pick<ClassicSettings, 'retryBackoffMs'>,
  ) {
    this.#host = host;
    this.#parts = parts;
    this.#requests = requests;
    this.#coordinator = coordinator;
    this.#wait = new RetryWait(settings.retryBackoffMs, () => host.random());
  }

  /**
   * Tells the coordinator that the member leaves. `done` is called once, when no leave is under way any more, at the latest at the deadline.
   * @param memberId null: the answer to the last join has it
   */
  begin(memberId: string | null, deadline: number, done: () => void, now: number): void {
    this.#wait.succeeded();
    const limit = new LeaveLimit(this.#host.requests, deadline);
    this.#all.push({ memberId, join: this.#lastJoin, limit, isUnderWay: false });
    this.#waiters.push({ limit, done });
    this.poll(now);
  }

  /** The outcome of a join. If the member leaves before it has an id, it is in the answer to the last of these joins. */
  namedBy(outcome: Outcome<JoinGroupResponseView>): Outcome<JoinGroupResponseView> {
    const join = ++this.#lastJoin;
    return {
      onResponse: (response, now) => {
        this.#named(join, response.memberId, now);
        outcome.onResponse(response, now);
      },
      onFailure: (error, now) => {
        this.#named(join, '', now);
        outcome.onFailure(error, now);
      },
    };
  }

  /** @param memberId '': there is none, so nobody has to be told */
  #named(join: number, memberId: string, now: number): void {
    const leaving = this.#all.find((each) => each.memberId === null && each.join === join);
    if (leaving === undefined) return;
    leaving.memberId = memberId;
    if (memberId === '') this.#end(leaving);
    else this.poll(now);
  }

  /** Calls `done` when no leave is under way any more, at the latest at the deadline. */
  finish(deadline: number, done: () => void): void {
    if (this.#all.length === 0) {
      done();
      return;
    }
    const limit = new LeaveLimit(this.#host.requests, deadline);
    for (const leaving of this.#all) leaving.limit = limit;
    this.#waiters.push({ limit, done });
  }

  poll(now: number): void {
    for (const leaving of [...this.#all]) {
      const { memberId } = leaving;
      if (memberId !== null && !leaving.isUnderWay && now >= this.#wait.until) {
        const to = this.#coordinator.ready(now);
        if (to !== null) this.#tell(to, leaving, memberId, now);
      }
      if (!this.#all.includes(leaving) || !leaving.limit.isOver(now)) continue;
      this.#parts.log('warn', `member ${memberId ?? '(new)'} ${notToldLeave}`);
      this.#end(leaving);
    }
    for (const waiter of [...this.#waiters]) if (waiter.limit.isOver(now)) this.#tellWaiter(waiter);
  }

  nextDeadline(now: number): number {
    const { until } = this.#wait;
    let deadline = Number.POSITIVE_INFINITY;
    for (const { limit, isUnderWay } of this.#all)
      deadline = Math.min(deadline, limit.endsAt, !isUnderWay && until > now ? until : Number.POSITIVE_INFINITY);
    for (const { limit } of this.#waiters) deadline = Math.min(deadline, limit.endsAt);
    return deadline;
  }

  #tell(to: Destination, leaving: Leaving, memberId: string, now: number): void {
    leaving.isUnderWay = true;
    const outcome = {
      onResponse: (errorCode: number, at: number) => this.#onAnswer(leaving, errorCode, at),
      onFailure: (_error: Error, at: number) => this.#onAnswer(leaving, null, at),
    };
    this.#requests.leave(to, memberId, outcome, now);
  }

  /** @param errorCode null: there was no answer. The coordinator may have had the request, and then does not know the member any more. */
  #onAnswer(leaving: Leaving, errorCode: number | null, now: number): void {
    if (!this.#all.includes(leaving)) return;
    leaving.isUnderWay = false;
    const action = errorCode === null ? 'find' : leaveAction(errorCode);
    if (action === 'left') {
      this.#end(leaving);
      return;
    }
    if (action === 'find') this.#coordinator.unknown();
    this.#wait.failed(now);
  }

  #end(leaving: Leaving): void {
    this.#all.splice(this.#all.indexOf(leaving), 1);
    for (const waiter of this.#all.length > 0 ? [] : [...this.#waiters]) this.#tellWaiter(waiter);
  }

  #tellWaiter(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    waiter.done();
  }
}
