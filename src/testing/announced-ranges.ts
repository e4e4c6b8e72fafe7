// Owns which versions an embedded cluster announces at its start. Runs in the broker's thread.

import { metricsApis, servedApis } from './apis/index.ts';
import type { EmbeddedBrokerOptions, VersionRange } from './options.ts';

export function announcedRanges(options: EmbeddedBrokerOptions): Map<number, VersionRange> {
  const ranges = new Map<number, VersionRange>();
  const apis = options.clientMetrics === undefined ? servedApis : [...servedApis, ...metricsApis];
  for (const { api } of apis)
    ranges.set(api.key, [api.minVersion, api.maxVersion - (api.latestVersionUnstable ? 1 : 0)]);
  for (const [key, range] of Object.entries(options.apiVersions ?? {})) ranges.set(Number(key), range);
  return ranges;
}
