// Owns the table of what an administration call does for each error code of an answer. Network thread.
// Source: the retry rules of Kafka's own admin client (KIP-117, KIP-599, KIP-716)

export type Action =
  /** Send the same request again, after a backoff. */
  | 'retry'
  /** Look up the broker again, then send the request again. */
  | 'locate'
  /** Send the same request again when the throttle time is over (KIP-599). */
  | 'throttled'
  | 'final';

const unknownTopicOrPartition = 3;
const leaderNotAvailable = 5;
const notLeaderOrFollower = 6;
const requestTimedOut = 7;
const brokerNotAvailable = 8;
const networkException = 13;
const coordinatorLoadInProgress = 14;
const coordinatorNotAvailable = 15;
const notCoordinator = 16;
const notController = 41;
const concurrentTransactions = 51;
const kafkaStorageError = 56;
const fencedLeaderEpoch = 74;
const unknownLeaderEpoch = 75;
const unstableOffsetCommit = 88;
const throttlingQuotaExceeded = 89;
const rebootstrapRequired = 129;

const retried = new Set([
  requestTimedOut,
  networkException,
  coordinatorLoadInProgress,
  concurrentTransactions,
  unknownLeaderEpoch,
  unstableOffsetCommit,
  rebootstrapRequired,
]);

const located: Readonly<Record<Target, ReadonlySet<number>>> = {
  any: new Set([notController]),
  controller: new Set([notController]),
  coordinator: new Set([coordinatorNotAvailable, notCoordinator]),
  leader: new Set([
    unknownTopicOrPartition,
    leaderNotAvailable,
    notLeaderOrFollower,
    brokerNotAvailable,
    kafkaStorageError,
    fencedLeaderEpoch,
  ]),
};

/** The kind of broker that a call is for. */
export type Target = 'any' | 'controller' | 'coordinator' | 'leader';

export function actionFor(errorCode: number, target: Target): Action {
  if (errorCode === throttlingQuotaExceeded) return 'throttled';
  if (located[target].has(errorCode)) return 'locate';
  return retried.has(errorCode) ? 'retry' : 'final';
}
