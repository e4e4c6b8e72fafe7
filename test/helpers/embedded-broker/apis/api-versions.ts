// ApiVersions (key 18), versions 0 to 4, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: announces the ranges of the cluster's options, sorted by key; no features. From version 3 on the client's
// software name and version are checked (KIP-511), with code 42 for bad ones. A version the broker does not
// speak never comes here: connection.ts answers it in version 0 with code 35 and the range of key 18 alone, as brokers
// do since 2.4. `failure`: the code, and no keys.

import {
  ApiVersions,
  type ApiVersionsRequestView,
  type ApiVersionsResponse,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { VersionRange } from '../options.ts';

const softwareFrom = 3;
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;

export const apiVersions: ApiHandler<ApiVersionsRequestView, ApiVersionsResponse> = {
  api: ApiVersions,

  handle(context: RequestContext, request: ApiVersionsRequestView): ApiVersionsResponse {
    const isNamed =
      softwarePattern.test(request.clientSoftwareName) && softwarePattern.test(request.clientSoftwareVersion);
    if (context.version >= softwareFrom && !isNamed) return { errorCode: errorCodes.INVALID_REQUEST };
    return { errorCode: errorCodes.NONE, apiKeys: announced(context.ranges) };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};

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
