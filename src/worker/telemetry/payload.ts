// Owns the making of one push out of numbers: within the broker's size, compressed as it accepts. Network thread. Must not send it.

import { compress } from '../../codec/index.ts';
import { UnsupportedCodecError } from '../../common/errors/errors.ts';
import { encodeMetrics, type PushedMetrics } from './otlp.ts';

const defaultLevel = -(2 ** 31);

export interface Payload {
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly compressionType: number;
  readonly bytes: Uint8Array;
  /** How many metrics were left out because of the size. */
  readonly leftOut: number;
}

/**
 * The bytes of a push. If they are too many, the last metrics are left out. Null: not even an empty push is small enough.
 * @param compressionTypes in the broker's order: the first one that this client has is taken
 */
export function makePayload(
  pushed: PushedMetrics,
  compressionTypes: readonly number[],
  maxBytes: number,
): Payload | null {
  const all = pushed.metrics.length;
  for (let count = all; ; count = Math.floor(count / 2)) {
    const plain = encodeMetrics({ ...pushed, metrics: pushed.metrics.slice(0, count) });
    const { compressionType, bytes } = compressed(plain, compressionTypes);
    if (bytes.byteLength <= maxBytes) return { compressionType, bytes, leftOut: all - count };
    if (count === 0) return null;
  }
}

function compressed(plain: Uint8Array, types: readonly number[]): Omit<Payload, 'leftOut'> {
  for (const compressionType of types) {
    if (compressionType === 0) break;
    try {
      return { compressionType, bytes: compress(compressionType, defaultLevel, plain, 0, plain.byteLength) };
    } catch (error) {
      // The next one, then: a package is not installed, or the broker knows codecs that nobody had when this was written.
      if (!(error instanceof UnsupportedCodecError)) throw error;
    }
  }
  return { compressionType: 0, bytes: plain };
}
