// Owns the options that every decode of a response uses. Network thread and pool threads.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { allApis } from '../../protocol/flat/generated/apis.ts';
import { type ClusterHints, clusterHintsOf, tellsOfCluster } from '../../protocol/flat/leader-hints.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';

const apiByKey = new Map(allApis.map((api) => [api.key, api]));
const cache = new WeakMap<KafkaClientConfig, DecodeOptions>();

/** A flat response may be at most this many times as large as its frame. Hostile element counts would exceed that by far. */
const flatPerFrame = 8;

export function decodeOptions(config: KafkaClientConfig): DecodeOptions {
  let options = cache.get(config);
  if (options === undefined) {
    options = {
      verifyCrc: config.checkCrcs,
      records: 'rows',
      maxDecompressedBytes: config.decompressedMaxBytes,
      maxFlatBytes: config.receiveMessageMaxBytes * flatPerFrame + config.decompressedMaxBytes,
    };
    cache.set(config, options);
  }
  return options;
}

/** The throttle time of a decoded response, in ms. 0 when its API has none, or when it is negative. */
export function responseThrottleTimeMs(apiKey: number, message: FlatMessage): number {
  const view = apiByKey.get(apiKey)?.readResponse(message) as { readonly throttleTimeMs?: number } | undefined;
  return Math.max(0, view?.throttleTimeMs ?? 0);
}

/** The leaders and their addresses that a decoded response names (KIP-951). Null when it names none. */
export function responseClusterHints(apiKey: number, message: FlatMessage): ClusterHints | null {
  const api = apiByKey.get(apiKey);
  return api === undefined || !tellsOfCluster(api) ? null : clusterHintsOf(api, api.readResponse(message));
}
