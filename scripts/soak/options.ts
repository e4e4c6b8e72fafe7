// Owns the options of a soak. Main thread.

import { type RandomRun, randomRunCommand } from '../arguments.ts';

export interface SoakOptions extends RandomRun {
  /** Where the picture goes; undefined: it is printed only. */
  readonly svg: string | undefined;
  /** Which bytes are changed on the way. */
  readonly corruption: 'any' | 'none' | 'covered';
}

export function soakOptions(): SoakOptions {
  const { minutes, seed, svg, corrupt, corruptAny } = randomRunCommand(
    'npm run soak --',
    'Runs a producer and consumers for a long time under random faults.',
  )
    .option('--svg <file>', 'write a picture of memory and progress')
    .option('--no-corrupt', 'change no bytes')
    .option('--corrupt-any', 'change any bytes, not only those that checksums cover', false)
    .parse()
    .opts<
      RandomRun & {
        readonly svg?: string;
        readonly corrupt: boolean;
        readonly corruptAny: boolean;
      }
    >();
  return { minutes, seed, svg, corruption: corruptAny ? 'any' : corrupt ? 'covered' : 'none' };
}
