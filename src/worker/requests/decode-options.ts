// Owns the options that every decode of a response uses. Network thread and pool threads.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { apisWithHints, type ClusterHints, clusterHintsOf } from '../../protocol/flat/leader-hints.ts';
import { wireApis } from '../../protocol/wire/generated/index.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';

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

/** Frames with records that are larger than this go to the codec pool, whatever is in them. */
function maxPlainBytes({ codecPoolPlainBytes }: KafkaClientConfig): number {
  return codecPoolPlainBytes === 0 ? Number.POSITIVE_INFINITY : codecPoolPlainBytes;
}

/** How responses are decoded in the network thread and in the pool. Frames of at most `mayPoolAbove` bytes never go to the pool. */
export function responseDecoding(config: KafkaClientConfig, hasPool: boolean) {
  const inPool = decodeOptions(config);
  const [maxInlineBytes, maxInlinePlainBytes] = [config.codecPoolThresholdBytes, maxPlainBytes(config)];
  const here: DecodeOptions = hasPool ? { ...inPool, maxInlineBytes, maxInlinePlainBytes } : inPool;
  return { here, inPool, mayPoolAbove: Math.min(maxInlineBytes, maxInlinePlainBytes) };
}

/** The throttle time of a decoded response, in ms. 0 when its API has none, or when it is negative. */
export function responseThrottleTimeMs(apiKey: number, message: FlatMessage): number {
  const word = wireApis.get(apiKey)?.throttleWord ?? -1;
  return word < 0 ? 0 : Math.max(0, message.int32(word));
}

/** The leaders and their addresses that a decoded response names (KIP-951). Null when it names none. */
export function responseClusterHints(apiKey: number, message: FlatMessage): ClusterHints | null {
  const api = apisWithHints.get(apiKey);
  return api === undefined ? null : clusterHintsOf(api, api.readResponse(message));
}
