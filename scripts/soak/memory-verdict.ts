// Owns the verdict on the memory of a soak. Pure functions.
//
// What the program holds must be flat: both heaps and all buffers, without what is kept for reuse, which has a limit and goes after a
// rest. Compiled code is judged apart. V8 compiles a function again, into larger code, once it has run often; what runs at each hundredth
// fault gets there after hours. So code grows for hours, but not for ever, because the functions of the program are counted: it has a limit.

import type { Moments, rested } from './moments.ts';
import { type Slope, slopeOf, type Trend, trendOf } from './slope.ts';

const maxGrowthMiBPerHour = 1;
/** Of both threads. A soak of an hour has 12 MiB at its end. */
export const maxCodeMiB = 20;
/** A shorter run is only warm-up: its slope is printed and not judged. */
const minJudgedMinutes = 10;
/** A run so long must show that memory is flat; a shorter one only that it does not grow. */
const minFlatMinutes = 60;

type Name = keyof typeof rested;

export interface MemoryVerdict {
  /** Heaps and buffers with code. */
  readonly used: Slope;
  /** The same without code and what connections receive into. */
  readonly data: Slope;
  readonly receive: Slope;
  readonly code: Slope;
  readonly heap: Slope;
  readonly networkHeap: Slope;
  readonly external: Slope;
  readonly kept: Slope;
  readonly rss: Slope;
  readonly rests: number;
  /** Of `data`. */
  readonly memoryIs: Trend;
  readonly lastUsedMiB: number;
  readonly lastCodeMiB: number;
  readonly lastRssMiB: number;
  readonly isRight: boolean;
}

export function memoryVerdict(rests: Moments<Name>, minutes: number): MemoryVerdict {
  const slope = (name: Name): Slope => slopeOf(rests.seconds, rests.values(name));
  const last = (name: Name): number => Math.round(rests.values(name).at(-1) ?? 0);
  const data = slope('dataMiB');
  const memoryIs = trendOf(data, maxGrowthMiBPerHour);
  const receive = slope('receiveMiB');
  const isRightTrend = (trend: Trend): boolean => (minutes < minFlatMinutes ? trend !== 'grows' : trend === 'flat');
  const isTrendRight = isRightTrend(memoryIs) && isRightTrend(trendOf(receive, maxGrowthMiBPerHour));
  return {
    used: slope('usedMiB'),
    data,
    receive,
    code: slope('codeMiB'),
    heap: slope('heapMiB'),
    networkHeap: slope('networkHeapMiB'),
    external: slope('externalMiB'),
    kept: slope('keptMiB'),
    rss: slope('rssMiB'),
    rests: rests.length,
    memoryIs,
    lastUsedMiB: last('usedMiB'),
    lastCodeMiB: last('codeMiB'),
    lastRssMiB: last('rssMiB'),
    isRight: (minutes < minJudgedMinutes || isTrendRight) && rests.values('codeMiB').every((mib) => mib <= maxCodeMiB),
  };
}
