// Owns when a member sent its last heartbeat and when its coordinator last accepted one, for the line in the log about a membership
// that has ended: whether the member was late, or was thrown out in spite of its heartbeats. Network thread.

import { BrokerError, errorFor } from '../../common/errors/errors.ts';
import type { Fencing } from './membership.ts';

export class HeartbeatTimes {
  #sentAt: number | null = null;
  #acceptedAt: number | null = null;

  sent(now: number): void {
    this.#sentAt = now;
  }

  /** A heartbeat was answered without an error, or another request that counts as one. */
  accepted(now: number): void {
    this.#acceptedAt = now;
  }

  /** Why the membership has ended, such as `Heartbeat was answered with UNKNOWN_MEMBER_ID; last heartbeat sent 4 ms ago, accepted 3005 ms ago`. */
  explain({ api, errorCode }: Fencing, now: number): string {
    const times = `last heartbeat sent ${ago(this.#sentAt, now)}, accepted ${ago(this.#acceptedAt, now)}`;
    return `${api} was answered with ${nameOf(errorCode)}; ${times}`;
  }
}

/** Kafka's name of an error code. */
function nameOf(errorCode: number): string {
  const error = errorFor(errorCode);
  return error instanceof BrokerError && error.errorName !== 'UNKNOWN' ? error.errorName : `error ${errorCode}`;
}

function ago(at: number | null, now: number): string {
  return at === null ? 'never' : `${Math.round(now - at)} ms ago`;
}
