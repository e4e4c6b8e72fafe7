// EndTxn (key 26), versions 0 to 5, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: as transactions/transaction.ts. Markers are written a moment after the answer. In version 5 the answer has the
// producer's next epoch, or another producer id once epochs are used up. 16 another node coordinates, 49 another producer
// id, 90 another epoch (47 before version 2), 48 nothing to end, or ended the other way, 51 being ended. `failure`: the code.

import { EndTxn, type EndTxnRequestView, type EndTxnResponse } from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const fencedFrom = 2;

export const endTxn: ApiHandler<EndTxnRequestView, EndTxnResponse> = {
  api: EndTxn,

  handle(context, request) {
    const { transactionalId, producerEpoch, committed } = request;
    const { cluster, node, version } = context;
    if (!isCoordinator(context, coordinatorKinds.transaction, transactionalId))
      return { errorCode: errorCodes.NOT_COORDINATOR };
    const producer = { producerId: request.producerId.toNumber(), producerEpoch };
    const newId = (): number | null => node.producerIds.next();
    const result = cluster.transactions.end(transactionalId, producer, committed, version, newId);
    if ('producer' in result) return { errorCode: errorCodes.NONE, ...result.producer };
    const isOld = result.errorCode === errorCodes.PRODUCER_FENCED && version < fencedFrom;
    return { errorCode: isOld ? errorCodes.INVALID_PRODUCER_EPOCH : result.errorCode };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
