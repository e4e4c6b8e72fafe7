// Owns the options of a soak. Main thread.

import { integerFrom, numberAbove, scriptCommand } from '../arguments.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Where the picture goes; undefined: it is printed only. */
  readonly svg: string | undefined;
  /** Which bytes are changed on the way. */
  readonly corruption: 'any' | 'none' | 'covered';
}

export function soakOptions(): SoakOptions {
  const { minutes, seed, svg, corrupt, corruptAny } = scriptCommand(
    'npm run soak --',
    'Runs a producer and consumers for a long time under random faults.',
  )
    .option('--minutes <number>', 'how long', numberAbove(0), 1)
    .option('--seed <number>', 'what the faults are drawn from', integerFrom(0), 1)
    .option('--svg <file>', 'write a picture of memory and progress')
    .option('--no-corrupt', 'change no bytes')
    .option('--corrupt-any', 'change any bytes, not only those that checksums cover', false)
    .parse()
    .opts<{
      readonly minutes: number;
      readonly seed: number;
      readonly svg?: string;
      readonly corrupt: boolean;
      readonly corruptAny: boolean;
    }>();
  return { minutes, seed, svg, corruption: corruptAny ? 'any' : corrupt ? 'covered' : 'none' };
}
