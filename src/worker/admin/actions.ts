// Owns the table of what an administration call does for each error code of an answer. Network thread.
// Source: the retry rules of Kafka's own admin client (KIP-117, KIP-599, KIP-716)

import { errorCodes } from '../../common/errors/generated/error-codes.ts';

export type Action =
  /** Send the same request again, after a backoff. */
  | 'retry'
  /** Look up the broker again, then send the request again. */
  | 'locate'
  /** Send the same request again when the throttle time is over (KIP-599). */
  | 'throttled'
  | 'final';

const retried: ReadonlySet<number> = new Set([
  errorCodes.REQUEST_TIMED_OUT,
  errorCodes.NETWORK_EXCEPTION,
  errorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  errorCodes.CONCURRENT_TRANSACTIONS,
  errorCodes.UNKNOWN_LEADER_EPOCH,
  errorCodes.UNSTABLE_OFFSET_COMMIT,
  errorCodes.REBOOTSTRAP_REQUIRED,
]);

const located: Readonly<Record<Target, ReadonlySet<number>>> = {
  any: new Set([errorCodes.NOT_CONTROLLER]),
  controller: new Set([errorCodes.NOT_CONTROLLER]),
  coordinator: new Set([errorCodes.COORDINATOR_NOT_AVAILABLE, errorCodes.NOT_COORDINATOR]),
  leader: new Set([
    errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorCodes.LEADER_NOT_AVAILABLE,
    errorCodes.NOT_LEADER_OR_FOLLOWER,
    errorCodes.BROKER_NOT_AVAILABLE,
    errorCodes.KAFKA_STORAGE_ERROR,
    errorCodes.FENCED_LEADER_EPOCH,
  ]),
};

/** The kind of broker that a call is for. */
export type Target = 'any' | 'controller' | 'coordinator' | 'leader';

export function actionFor(errorCode: number, target: Target): Action {
  if (errorCode === errorCodes.THROTTLING_QUOTA_EXCEEDED) return 'throttled';
  if (located[target].has(errorCode)) return 'locate';
  return retried.has(errorCode) ? 'retry' : 'final';
}
