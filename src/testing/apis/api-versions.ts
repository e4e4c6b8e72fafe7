// ApiVersions (key 18), versions 0 to 5, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: announces the ranges of the cluster's options, sorted by key, and from version 3 on the features. From version
// 3 on the client's software name and version are checked (KIP-511), with code 42 for bad ones. A version the broker does
// not speak never comes here: connection.ts answers it in version 0 with code 35 and the range of key 18 alone, as brokers
// do since 2.4. From version 5 on the client may say whom the connection is meant for (KIP-1242): both ids or neither, else
// code 42; of another cluster or node, code 129. An id that a scripted answer to Metadata gave is the cluster's, too. Where SaslAuthenticate is announced nothing is compared before the login,
// and a second ApiVersions before it ends the connection. `failure`: the code, and no keys.

import {
  ApiVersions,
  type ApiVersionsRequestView,
  type ApiVersionsResponse,
} from '../../protocol/flat/generated/apis.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, HandlerResult, RequestContext } from '../handler.ts';
import type { VersionRange } from '../options.ts';

const softwareFrom = 3;
const expectedPeerFrom = 5;
const zeroFeaturesFrom = 4;
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;

export const apiVersions: ApiHandler<ApiVersionsRequestView, ApiVersionsResponse> = {
  api: ApiVersions,

  handle(context: RequestContext, request: ApiVersionsRequestView): HandlerResult<ApiVersionsResponse> {
    const isNamed =
      softwarePattern.test(request.clientSoftwareName) && softwarePattern.test(request.clientSoftwareVersion);
    const { login, version } = context;
    if (login.isDue && login.hasAskedForVersions) return 'close';
    if (version >= softwareFrom && !isNamed) return { errorCode: errorCodes.INVALID_REQUEST };
    const errorCode = version >= expectedPeerFrom ? peerErrorOf(context, request) : errorCodes.NONE;
    if (errorCode !== errorCodes.NONE) return { errorCode };
    login.hasAskedForVersions = true;
    return { errorCode, apiKeys: announced(context.ranges), ...announcedFeatures(context) };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};

/** None before version 3. */
function announcedFeatures({ cluster, version }: RequestContext): ApiVersionsResponse {
  const { features } = cluster;
  if (version < softwareFrom) return {};
  return {
    // Brokers leave out of older answers what has no lowest version 1: clients of then took 0 for a mistake.
    supportedFeatures: features.supported.filter(({ minVersion }) => minVersion > 0 || version >= zeroFeaturesFrom),
    finalizedFeaturesEpoch: features.epoch,
    finalizedFeatures: features.finalized.map(({ name, level }) => ({
      name,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  };
}

/** What is wrong with the cluster and the node that the client expects. */
function peerErrorOf({ cluster, node, login }: RequestContext, { clusterId, nodeId }: ApiVersionsRequestView): number {
  if ((clusterId === null) !== (nodeId === -1)) return errorCodes.INVALID_REQUEST;
  if (clusterId === null || login.isDue) return errorCodes.NONE;
  const isMeant = cluster.clusterIds.has(clusterId) && nodeId === node.id;
  return isMeant ? errorCodes.NONE : errorCodes.REBOOTSTRAP_REQUIRED;
}

/** The answer to a version that the broker does not speak; to be encoded in version 0. */
export function unsupportedApiVersions(ranges: ReadonlyMap<number, VersionRange>): ApiVersionsResponse {
  const own = new Map([...ranges].filter(([key]) => key === ApiVersions.key));
  return { errorCode: errorCodes.UNSUPPORTED_VERSION, apiKeys: announced(own) };
}

function announced(
  ranges: ReadonlyMap<number, VersionRange>,
): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return [...ranges]
    .flatMap(([apiKey, range]) => (range === null ? [] : [{ apiKey, minVersion: range[0], maxVersion: range[1] }]))
    .sort((a, b) => a.apiKey - b.apiKey);
}
