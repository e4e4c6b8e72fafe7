// Owns the table of what the error code of a fetch means for its partition. Network thread. Must not act itself.
// Source: protocol guide; reference of Java's FetchCollector; KIP-951 (leader hints).

import { codes } from './codes.ts';

/**
 * `outOfRange`: the position is outside of the broker's log. `moved`: the broker is not the leader. `denied`: permission is missing.
 * `refresh`: try again with newer metadata. `again`: try again. `fail`: no retry helps.
 */
export type FetchAction = 'outOfRange' | 'moved' | 'denied' | 'refresh' | 'again' | 'fail';

export function fetchAction(errorCode: number): FetchAction {
  switch (errorCode) {
    case codes.offsetOutOfRange:
      return 'outOfRange';
    case codes.notLeaderOrFollower:
    case codes.fencedLeaderEpoch:
      return 'moved';
    case codes.topicAuthorizationFailed:
      return 'denied';
    case codes.replicaNotAvailable:
    case codes.kafkaStorageError:
    case codes.offsetNotAvailable:
    case codes.unknownTopicOrPartition:
    case codes.unknownTopicId:
    case codes.inconsistentTopicId:
    case codes.leaderNotAvailable:
      return 'refresh';
    case codes.unknownLeaderEpoch:
    case codes.unknownServerError:
      return 'again';
    default:
      return 'fail';
  }
}
