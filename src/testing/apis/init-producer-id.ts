// InitProducerId (key 22), versions 0 to 6, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: without a transactional id a new producer id with epoch 0, from any node, or code 14 while the node has no
// block of ids yet. With one only its coordinator answers (else 16): a new epoch, which fences older ones; 51 while an
// older transaction is open, which is aborted, or being ended; 50 for a time-out outside of 1 to the cluster's largest;
// 42 for an empty id. Before version 4 code 90 is 47. `failure`: the code, no producer.

import {
  InitProducerId,
  type InitProducerIdRequestView,
  type InitProducerIdResponse,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const identityFrom = 3;
const fencedFrom = 4;

export const initProducerId: ApiHandler<InitProducerIdRequestView, InitProducerIdResponse> = {
  api: InitProducerId,

  handle(context, request) {
    const { cluster, node, version } = context;
    const { transactionalId } = request;
    const newId = (): number | null => node.producerIds.next();
    if (transactionalId === null) {
      const producerId = newId();
      if (producerId === null) return refusal(errorCodes.COORDINATOR_LOAD_IN_PROGRESS);
      return { errorCode: errorCodes.NONE, producerId, producerEpoch: 0 };
    }
    if (transactionalId !== '' && !isCoordinator(context, coordinatorKinds.transaction, transactionalId)) {
      return refusal(errorCodes.NOT_COORDINATOR);
    }
    const producerId = version >= identityFrom ? request.producerId.toNumber() : -1;
    const claimed = producerId === -1 ? null : { producerId, producerEpoch: request.producerEpoch };
    const result = cluster.transactions.init(transactionalId, request.transactionTimeoutMs, claimed, newId);
    if ('producer' in result) return { errorCode: errorCodes.NONE, ...result.producer };
    const isOld = version < fencedFrom && result.errorCode === errorCodes.PRODUCER_FENCED;
    return refusal(isOld ? errorCodes.INVALID_PRODUCER_EPOCH : result.errorCode);
  },

  failure(_context, _request, errorCode) {
    return refusal(errorCode);
  },
};

function refusal(errorCode: number): InitProducerIdResponse {
  return { errorCode, producerId: -1, producerEpoch: -1 };
}
