// Owns the samples of memory of a soak, and the slope through them with its confidence. Main thread.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Sample {
  readonly seconds: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly arrayBuffersMiB: number;
}

export interface Slope {
  readonly mibPerHour: number;
  /** Half of the 95 % interval. */
  readonly plusMinus: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const mib = (bytes: number): number => Math.round((bytes / 1024 / 1024) * 100) / 100;

/** After a garbage collection of this thread. */
export function sample(startedAt: number): Sample {
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return { seconds, rssMiB: mib(rss), heapMiB: mib(heapUsed), arrayBuffersMiB: mib(arrayBuffers) };
}

/** Least squares over what follows the warm-up, which is the first third. */
export function slopeOf(samples: readonly Sample[], of: (sample: Sample) => number): Slope {
  const used = samples.slice(Math.floor(samples.length / 3));
  const n = used.length;
  if (n < 3) return { mibPerHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const [xs, ys] = [used.map(({ seconds }) => seconds / 3600), used.map(of)];
  const [meanX, meanY] = [xs.reduce((a, b) => a + b) / n, ys.reduce((a, b) => a + b) / n];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
  const residual = xs.reduce((sum, x, i) => sum + (ys[i]! - meanY - slope * (x - meanX)) ** 2, 0);
  const error = Math.sqrt(residual / (n - 2) / spread);
  const round = (value: number): number => Math.round(value * 100) / 100;
  return { mibPerHour: round(slope), plusMinus: round(1.96 * error) };
}
