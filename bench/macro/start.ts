// Measures the cold start and what it keeps: the time, the CPU and the live heap of a process that has imported this package and produced
// one record, beside a process that has only imported `node:net`. Main thread.

import type { BenchRow, MissingRow } from '../support/rows.ts';
import { coldStarts } from './support/cold-start.ts';

export function run(): Promise<(BenchRow | MissingRow)[]> {
  return coldStarts(() => process.execPath, '', ['no client']);
}
