// PushTelemetry (key 72), version 0, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: only of a cluster with the option `clientMetrics`. Of a client that has no id from here, or has sent its last push, code 42; for
// another subscription than that of now, code 117; with a codec that was not offered, 76; too large, 118. `failure`: the code.

import {
  PushTelemetry,
  type PushTelemetryRequestView,
  type PushTelemetryResponse,
} from '../../protocol/flat/generated/apis.ts';
import type { ApiHandler } from '../handler.ts';

export const pushTelemetry: ApiHandler<PushTelemetryRequestView, PushTelemetryResponse> = {
  api: PushTelemetry,

  async handle({ cluster, node, clientId }, request) {
    const { clientMetrics } = cluster;
    return clientMetrics === null ? 'close' : { errorCode: await clientMetrics.push(request, node.id, clientId) };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
