// Owns how a member of the classic protocol leaves: its request is sent again until a coordinator has answered it, or its time is over.
// Network thread. Must not know the membership: that is over, and another may have begun.

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
  readonly waiting: (() => void)[];
  isUnderWay: boolean;
}

export class ClassicLeave {
  readonly #host: RoleHost;
  readonly #parts: Pick<MembershipHost, 'log'>;
  readonly #requests: ClassicRequests;
  readonly #coordinator: Coordinator;
  readonly #wait: RetryWait;
  #leaving: Leaving | null = null;
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
   * Tells the coordinator that the member leaves. `done` is called once, at the latest at the deadline.
   * @param memberId null: the answer to the last join has it
   */
  begin(memberId: string | null, deadline: number, done: () => void, now: number): void {
    if (this.#leaving !== null) this.#end(this.#leaving);
    this.#wait.succeeded();
    const limit = new LeaveLimit(this.#host.requests, deadline);
    this.#leaving = { memberId, join: this.#lastJoin, limit, waiting: [done], isUnderWay: false };
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
    const leaving = this.#leaving;
    if (leaving === null || leaving.memberId !== null || leaving.join !== join) return;
    leaving.memberId = memberId;
    if (memberId === '') this.#end(leaving);
    else this.poll(now);
  }

  /** Calls `done` when no leave is under way any more, at the latest at the deadline. */
  finish(deadline: number, done: () => void): void {
    const leaving = this.#leaving;
    if (leaving === null) {
      done();
      return;
    }
    leaving.limit = new LeaveLimit(this.#host.requests, deadline);
    leaving.waiting.push(done);
  }

  poll(now: number): void {
    const leaving = this.#leaving;
    if (leaving === null) return;
    const { memberId } = leaving;
    if (memberId !== null && !leaving.isUnderWay && now >= this.#wait.until) {
      const to = this.#coordinator.ready(now);
      if (to !== null) this.#tell(to, leaving, memberId, now);
    }
    if (leaving !== this.#leaving || !leaving.limit.isOver(now)) return;
    this.#parts.log('warn', `member ${memberId ?? '(new)'} ${notToldLeave}`);
    this.#end(leaving);
  }

  nextDeadline(now: number): number {
    const leaving = this.#leaving;
    if (leaving === null) return Number.POSITIVE_INFINITY;
    const { until } = this.#wait;
    return Math.min(leaving.limit.endsAt, !leaving.isUnderWay && until > now ? until : Number.POSITIVE_INFINITY);
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
    if (leaving !== this.#leaving) return;
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
    this.#leaving = null;
    for (const done of leaving.waiting) done();
  }
}
