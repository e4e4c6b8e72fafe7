// Owns the reading of big inputs for lines that are sent as they are: blocks of whole lines, without an object for each line. Files are read into
// memory that is used again. Main thread.

import { promises } from 'node:fs';
import { InputError } from '../exit-codes.ts';
import { maxPieceBytes } from './line-reader.ts';

type FileHandle = promises.FileHandle;

/** A big read costs less for each byte. Two of them are under way: one is read while the other one is sent. */
const readBytes = 1024 * 1024;

export interface LineBlock {
  /** Lines, each with its mark; valid until the next block is asked for. */
  readonly bytes: Buffer;
  /** Whether the last line has no mark. */
  readonly isUnended: boolean;
}

/**
 * Blocks of whole lines.
 * Fails with: InputError for a line that is too long, and what reading fails with
 */
export async function* lineBlocks(chunks: AsyncIterable<Buffer>, mark: number): AsyncGenerator<LineBlock, void, void> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const last = chunk.lastIndexOf(mark);
    if (last >= 0) {
      const whole = chunk.subarray(0, last + 1);
      yield { bytes: rest.length === 0 ? whole : Buffer.concat([...rest, whole]), isUnended: false };
      rest = [];
      restBytes = 0;
    }
    if (last + 1 === chunk.length) continue;
    // The chunk's memory is used again.
    rest.push(Buffer.from(chunk.subarray(last + 1)));
    restBytes += chunk.length - last - 1;
    if (restBytes > maxPieceBytes) throw new InputError(`a record is longer than ${maxPieceBytes} bytes`);
  }
  if (restBytes > 0) yield { bytes: Buffer.concat(rest), isUnended: true };
}

/** The chunks of a regular file. They end, without an error, when `signal` is aborted. A chunk is valid until the next one is asked for. */
export async function* fileChunks(path: string, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const file = await promises.open(path);
  try {
    const buffers = [Buffer.allocUnsafeSlow(readBytes), Buffer.allocUnsafeSlow(readBytes)] as const;
    let next = readInto(file, buffers[0]);
    for (let turn = 1; ; turn++) {
      const chunk = await next;
      if (chunk.length === 0 || signal.aborted) return;
      next = readInto(file, buffers[turn % 2]!);
      // It is awaited in the next turn, which does not come when the reader stops.
      next.catch(() => {});
      yield chunk;
      if (signal.aborted) return;
    }
  } finally {
    await file.close();
  }
}

async function readInto(file: FileHandle, buffer: Buffer): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
  return buffer.subarray(0, bytesRead);
}
