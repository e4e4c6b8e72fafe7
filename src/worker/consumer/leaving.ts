// Owns for how long a member tries to tell its coordinator that it leaves, and what the answers to that mean. Network thread. Must not send.
// A member whose coordinator was not told stays in its group, with its partitions, until its session is over.

import { anyone, type BrokerRequests } from '../client/broker-requests.ts';
import { isBrokerFault, syncAction } from './classic-actions.ts';
import type { LeaveMode } from './membership.ts';

/** Without any broker that could be asked, nobody waits for longer. */
const maxCutOffMs = 3000;

export class LeaveLimit {
  readonly #requests: Pick<BrokerRequests, 'lastError'>;
  readonly #deadline: number;
  /** Since when no broker can be reached; null while one can, or may be. */
  #cutOffSince: number | null = null;

  constructor(requests: Pick<BrokerRequests, 'lastError'>, deadline: number) {
    this.#requests = requests;
    this.#deadline = deadline;
  }

  /** Must be asked in each round. */
  isOver(now: number): boolean {
    if (this.#requests.lastError(anyone) === null) this.#cutOffSince = null;
    else this.#cutOffSince ??= now;
    return now >= this.endsAt;
  }

  get endsAt(): number {
    return Math.min(this.#deadline, (this.#cutOffSince ?? Number.POSITIVE_INFINITY) + maxCutOffMs);
  }
}

/** The leave of a member: how, until when, and who waits for its end. One that nobody waits for is the member's own, for slowness. */
export class LeaveCall {
  readonly mode: LeaveMode;
  readonly limit: LeaveLimit;
  readonly #waiting: (() => void)[];
  /** It was asked to join while it leaves. */
  joinsAfter = false;

  /** @param before a leave that is under way, whose callers wait for this one */
  constructor(mode: LeaveMode, limit: LeaveLimit, onLeft: (() => void) | null, before: LeaveCall | null) {
    this.mode = mode;
    this.limit = limit;
    this.#waiting = before === null ? [] : [...before.#waiting];
    if (onLeft !== null) this.#waiting.push(onLeft);
  }

  get isWaitedFor(): boolean {
    return this.#waiting.length > 0;
  }

  /** Tells all who wait. Must be called once. */
  end(): void {
    for (const onLeft of this.#waiting) onLeft();
  }
}

/** `left`: the member is out, or the group does not know it. `find`: tell the new coordinator. `backOff`: tell this one again, later. */
export function leaveAction(errorCode: number): 'left' | 'find' | 'backOff' {
  if (isBrokerFault(errorCode)) return 'backOff';
  const action = syncAction(errorCode);
  return action === 'find' || action === 'backOff' ? action : 'left';
}

/** For the log: what follows when nobody could be told. */
export const notToldLeave =
  'could not tell its coordinator that it leaves: its group keeps it, and its partitions, until its session is over';
