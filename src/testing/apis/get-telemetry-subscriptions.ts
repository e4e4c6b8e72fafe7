// GetTelemetrySubscriptions (key 71), version 0, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: only of a cluster with the option `clientMetrics`, as only brokers that have a receiver of metrics announce it (KIP-714). A client
// without an id gets one. `failure`: the code.

import {
  GetTelemetrySubscriptions,
  type GetTelemetrySubscriptionsRequestView,
  type GetTelemetrySubscriptionsResponse,
} from '../../protocol/flat/generated/apis.ts';
import type { ApiHandler } from '../handler.ts';

export const getTelemetrySubscriptions: ApiHandler<
  GetTelemetrySubscriptionsRequestView,
  GetTelemetrySubscriptionsResponse
> = {
  api: GetTelemetrySubscriptions,

  handle({ cluster }, { clientInstanceId }) {
    return cluster.clientMetrics?.subscribe(clientInstanceId) ?? 'close';
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
