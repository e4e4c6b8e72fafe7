// Owns the cutting of an input into lines, or into pieces between other delimiters, without making texts of them. Main thread.

import type { Readable } from 'node:stream';
import { InputError } from '../exit-codes.ts';

/** Limit of one piece: no broker takes a record of this size. */
export const maxPieceBytes = 128 * 1024 * 1024;

export const carriageReturn = 13;

/**
 * Pieces of the input, some at a time. They are valid until the next ones are asked for.
 * Fails with: InputError for a piece that is too long, and what reading fails with
 */
export async function* piecesOf(
  input: Readable,
  delimiter: string,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void, void> {
  const mark = Buffer.from(delimiter);
  const isLine = delimiter === '\n';
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunksOf(input, signal)) {
    // A mark may lie across two chunks.
    const isWhole = mark.length === 1 && !chunk.includes(mark);
    if (isWhole) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes > maxPieceBytes) throw new InputError(`a record is longer than ${maxPieceBytes} bytes`);
      continue;
    }
    const bytes = rest.length === 0 ? chunk : Buffer.concat([...rest, chunk]);
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, from)) {
      pieces.push(bytes.subarray(from, isLine && at > from && bytes[at - 1] === carriageReturn ? at - 1 : at));
      from = at + mark.length;
    }
    rest = from === bytes.length ? [] : [bytes.subarray(from)];
    restBytes = bytes.length - from;
    if (restBytes > maxPieceBytes) throw new InputError(`a record is longer than ${maxPieceBytes} bytes`);
    if (pieces.length > 0) yield pieces;
  }
  if (restBytes > 0 && !signal.aborted) yield [Buffer.concat(rest)];
}

/** The chunks of a stream. They end, without an error, when `signal` is aborted. */
export async function* chunksOf(input: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const stop = (): void => {
    input.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const chunk of input) yield chunk as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
