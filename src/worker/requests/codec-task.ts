// Owns what a thread of the codec pool is asked to run. Pool thread. Must not know connections; errors travel back as data.

import { move, transferableSymbol, valueSymbol } from 'piscina';
import { prepareCodecs } from '../../codec/index.ts';
import { type CodecTask, perform } from './codec-work.ts';

// Waiting here also keeps the pool from loading this module by `require`, which a thread must not be ended in.
await prepareCodecs();

/** What a thread of the pool is asked to do: the result's memory is moved. */
export default async function runTask(task: CodecTask): Promise<unknown> {
  const result = perform(task);
  return 'error' in result ? result : move({ [transferableSymbol]: [result.buffer], [valueSymbol]: result });
}
