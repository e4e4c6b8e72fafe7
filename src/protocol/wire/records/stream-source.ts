// Owns the source of the keys, values and headers that encoders copy, and the copying. Runs in the network
// thread and the codec pool.
//
// Small records first go as one copy of the whole stream to the end of the room that was made for the result. Each key
// and value is then moved down within one buffer, which needs no slice: two thirds of the time of copying it between two
// (bench/micro/records.ts). The copy never overtakes what is still to be moved, since the room allows for the largest form of each
// record. Large records are copied from where they are.

import { RingCorruptError } from '../../../common/errors/errors.ts';
import type { FlatMessage } from '../../flat/flat-view.ts';
import {
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  RECORD_COUNT_WORD,
  STREAM_HEAD_BYTES,
} from '../../flat/records/records-slot.ts';

/**
 * What a record may take on the wire beyond its place in the stream. In a batch: five varints of 5 bytes or less, one of
 * 10 and the attributes, less the stream's head of 20; in a message set less. A header takes more than there only with
 * lengths of 2^27 and above, of which a stream has few: `spareBytes` has room for all of them.
 */
export const maxExtraBytes = 16;
export const spareBytes = 64;

/** Bytes of a record, on average, from which a second copy costs more than slices. */
const largeRecordBytes = 600;
/** Up to this many bytes a loop beats a call into native code. */
const shortBytes = 12;

export interface StreamSource {
  source: Uint8Array;
  /** First byte of the stream in it. */
  start: number;
}

/** The slot's record count. Throws RingCorruptError when its stream is too short for so many. */
export function streamCount(m: FlatMessage, slotWord: number): number {
  const count = m.int32(slotWord + RECORD_COUNT_WORD);
  const length = m.int32(slotWord + DATA_LENGTH_WORD);
  if (count < 1 || count * STREAM_HEAD_BYTES > length) throw corruptStream(count, length);
  return count;
}

export function corruptStream(record: number, length: number): RingCorruptError {
  return new RingCorruptError(`record ${record} does not fit into its stream of ${length} bytes`);
}

/** Where to read the slot's stream: in the message, or at the end of `out[..., end)`, to which it is copied. */
export function streamSource(m: FlatMessage, slotWord: number, out: Uint8Array, end: number): StreamSource {
  const length = m.int32(slotWord + DATA_LENGTH_WORD);
  const start = m.byteBase + m.int32(slotWord + DATA_OFFSET_WORD);
  if (length > largeRecordBytes * m.int32(slotWord + RECORD_COUNT_WORD)) return { source: m.u8, start };
  out.set(m.u8.subarray(start, start + length), end - length);
  return { source: out, start: end - length };
}

/** Copies `source[from, end)` to `out[to]`, which may be the same buffer further up, and returns where it ends there. */
export function move(out: Uint8Array, to: number, source: Uint8Array, from: number, end: number): number {
  const length = end - from;
  if (length <= shortBytes) {
    for (let i = 0; i < length; i++) out[to + i] = source[from + i]!;
  } else if (source === out) {
    out.copyWithin(to, from, end);
  } else {
    out.set(source.subarray(from, end), to);
  }
  return to + length;
}
