// Owns what each error code of the classic protocol asks a member to do, by request. Network thread. Must not do it.
// Source: protocol guide; reference of Java's AbstractCoordinator.

import { codes } from './codes.ts';

/**
 * `keepId`: join again with the id given. `find`: another broker coordinates, join there. `again`: join again. `backOff`: the same, a
 * little later. `newIdentity`: out of the group, join as a new member. `lost`: out of the generation, join again as before.
 * `fatal`: the group will not have this member.
 */
export type JoinAction = 'ok' | 'keepId' | 'find' | 'again' | 'backOff' | 'newIdentity' | 'lost' | 'fatal';

/** `find`: the next goes to another broker. `rejoin`: the group rebalances. */
export type HeartbeatAction = 'ok' | 'find' | 'backOff' | 'rejoin' | 'newIdentity' | 'lost' | 'fatal';

export function joinAction(errorCode: number): JoinAction {
  switch (errorCode) {
    case codes.memberIdRequired:
      return 'keepId';
    case codes.rebalanceInProgress:
      return 'backOff';
    default:
      return syncAction(errorCode);
  }
}

export function syncAction(errorCode: number): JoinAction {
  switch (errorCode) {
    case codes.none:
      return 'ok';
    case codes.coordinatorNotAvailable:
    case codes.notCoordinator:
      return 'find';
    case codes.rebalanceInProgress:
      return 'again';
    case codes.coordinatorLoadInProgress:
    case codes.requestTimedOut:
      return 'backOff';
    case codes.unknownMemberId:
      return 'newIdentity';
    case codes.illegalGeneration:
      return 'lost';
    default:
      return 'fatal';
  }
}

export function heartbeatAction(errorCode: number): HeartbeatAction {
  if (errorCode === codes.rebalanceInProgress) return 'rejoin';
  const action = syncAction(errorCode);
  return action === 'again' || action === 'keepId' ? 'ok' : action;
}
