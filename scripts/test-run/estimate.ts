// Owns the estimate of the time of a test run. It is printed at the beginning.

import type { TestFile } from './test-files.ts';

/** Seconds that a file of each folder takes on average, on a quiet machine with two cores. */
const secondsPerFile: Readonly<Record<string, number>> = {
  unit: 0.8,
  golden: 10,
  stress: 15,
  broker: 8,
  fault: 25,
  kafka: 90,
};

/** `about 4 minutes on a quiet machine; ...`. @param concurrency files at a time */
export function estimateText(files: readonly TestFile[], concurrency: number): string {
  let seconds = 0;
  for (const { folder } of files) seconds += secondsPerFile[folder] ?? 10;
  // A run takes at least as long as its longest file.
  const longest = Math.max(0, ...new Set(files.map(({ folder }) => secondsPerFile[folder] ?? 10)));
  const expected = Math.max(seconds / concurrency, longest);
  const time = expected < 60 ? `${Math.max(1, Math.ceil(expected))} s` : `${Math.ceil(expected / 60)} minutes`;
  const fetches = files.some(({ folder }) => folder === 'kafka')
    ? '; a first run on real brokers fetches them besides'
    : '';
  return `about ${time} on a quiet machine${fetches}`;
}
