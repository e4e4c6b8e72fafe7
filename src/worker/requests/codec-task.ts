// Owns the entry of the codec pool's threads. Pool threads. Must not know connections. Errors are returned as data.

import { move, transferableSymbol, valueSymbol } from 'piscina';
import { prepareCodecs } from '../../codec/index.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import { loadCodec } from '../../protocol/wire/codecs.ts';
import { type CodecTask, perform } from './codec-work.ts';

// The top-level await also keeps the pool from loading this module by `require`: Node 20 aborts when a thread is ended during that.
await prepareCodecs();

/** Runs one task. The memory of the result is moved to the network thread, and that of what was decoded back. */
export default async function runTask(task: CodecTask): Promise<unknown> {
  try {
    if (task.kind === 'decode') await loadCodec(task.apiKey);
    if (task.kind === 'encode') await loadCodec(task.header.apiKey);
  } catch (error) {
    return { error: toPlainError(error) };
  }
  const result = perform(task);
  if ('error' in result) return result;
  const moved = [result.buffer];
  if ('spent' in result && result.spent !== undefined) moved.push(result.spent);
  return move({ [transferableSymbol]: moved, [valueSymbol]: result });
}
