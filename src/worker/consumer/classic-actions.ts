// Owns the table of what a member does for each error code of the classic protocol, by request. Network thread. Must not act itself.
// Source: protocol guide; reference of Java's AbstractCoordinator.

import { codes } from './codes.ts';

/**
 * `keepId`: join again with the id in the response. `find`: find the new coordinator and join there. `again`: join again. `backOff`:
 * join again after a wait. `newIdentity`: the member is no longer in the group; join as a new member. `lost`: the member is no longer
 * in the generation; join again with the same id. `fatal`: the group does not accept this member.
 */
export type JoinAction = 'ok' | 'keepId' | 'find' | 'again' | 'backOff' | 'newIdentity' | 'lost' | 'fatal';

/** A fault inside the broker. It may pass, since brokers whose coordinators move may answer so; but not for ever. */
export const isBrokerFault = (errorCode: number): boolean => errorCode === codes.unknownServerError;

/** `find`: find the new coordinator for the next heartbeat. `rejoin`: the group rebalances, so join again. */
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
