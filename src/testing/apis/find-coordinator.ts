// FindCoordinator (key 10), versions 0 to 6, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: a key belongs to the same node as long as the nodes stay and no test moves it, whatever its type; key types
// beyond 2 get code 42. One key up to version 3, a list from 4 on. Without nodes code 15. `failure`: the code for every key.

import {
  FindCoordinator,
  type FindCoordinatorRequestView,
  type FindCoordinatorResponse,
  type FindCoordinatorResponseCoordinator,
} from '../../protocol/flat/generated/apis.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

const listsFrom = 4;
const highestKeyType = 2;

export const findCoordinator: ApiHandler<FindCoordinatorRequestView, FindCoordinatorResponse> = {
  api: FindCoordinator,

  handle(context, request) {
    if (request.keyType > highestKeyType) return findCoordinator.failure(context, request, errorCodes.INVALID_REQUEST);
    return answer(context, request, (key) => {
      const node = context.cluster.coordinator(request.keyType, key);
      if (node === null) return refusal(key, errorCodes.COORDINATOR_NOT_AVAILABLE);
      return { key, nodeId: node.id, host: node.host, port: node.port, errorCode: errorCodes.NONE };
    });
  },

  failure(context, request, errorCode) {
    return answer(context, request, (key) => refusal(key, errorCode));
  },
};

function answer(
  context: RequestContext,
  request: FindCoordinatorRequestView,
  find: (key: string) => FindCoordinatorResponseCoordinator,
): FindCoordinatorResponse {
  if (context.version >= listsFrom) return { coordinators: request.coordinatorKeys.map(find) };
  const { key: _key, ...single } = find(request.key);
  return single;
}

function refusal(key: string, errorCode: number): FindCoordinatorResponseCoordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: `error ${errorCode}` };
}
