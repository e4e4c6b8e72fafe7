// AddOffsetsToTxn (key 25), versions 0 to 4, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: the group's offsets become part of the transaction. 16 another node coordinates, 24 empty group id, 49 another
// producer id, 90 another epoch (47 before version 2), 51 the last transaction is being ended. `failure`: the code.

import {
  AddOffsetsToTxn,
  type AddOffsetsToTxnRequestView,
  type AddOffsetsToTxnResponse,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const fencedFrom = 2;

export const addOffsetsToTxn: ApiHandler<AddOffsetsToTxnRequestView, AddOffsetsToTxnResponse> = {
  api: AddOffsetsToTxn,

  handle(context, request) {
    const { transactionalId, groupId, producerEpoch } = request;
    const { transactions } = context.cluster;
    if (!isCoordinator(context, coordinatorKinds.transaction, transactionalId))
      return { errorCode: errorCodes.NOT_COORDINATOR };
    if (groupId === '') return { errorCode: errorCodes.INVALID_GROUP_ID };
    const producer = { producerId: request.producerId.toNumber(), producerEpoch };
    const errorCode = transactions.checkAdd(transactionalId, producer);
    if (errorCode === errorCodes.NONE) transactions.addGroup(transactionalId, groupId, false);
    const isOld = errorCode === errorCodes.PRODUCER_FENCED && context.version < fencedFrom;
    return { errorCode: isOld ? errorCodes.INVALID_PRODUCER_EPOCH : errorCode };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
