// Owns the two copies that block decompressors are made of. Runs in the network thread and the codec pool. Must not
// check bounds of what it is told to copy; it only keeps its own surplus within the limits it is given.
//
// Four bytes a step through a DataView take half the time of a loop over bytes (bench/micro/codec.ts); the last step may
// write up to three bytes too many, which the next copy overwrites.

/** From this many bytes on, calls into native code beat a loop. */
const longCopy = 64;
/** What a step of four bytes may go too far. */
const surplus = 3;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Copies `length` bytes from `bytes[at]`, which has `end` readable, to `out[put]`, which has `to` writable. */
export function copyLiteral(
  bytes: Uint8Array,
  from: DataView,
  at: number,
  end: number,
  out: Uint8Array,
  into: DataView,
  put: number,
  to: number,
  length: number,
): void {
  if (length >= longCopy) {
    out.set(bytes.subarray(at, at + length), put);
  } else if (at + length + surplus <= end && put + length + surplus <= to) {
    for (let i = 0; i < length; i += 4) into.setInt32(put + i, from.getInt32(at + i, true), true);
  } else {
    for (let i = 0; i < length; i++) out[put + i] = bytes[at + i]!;
  }
}

/** Repeats the `length` bytes that stand `distance` before `out[put]`; the two may overlap, which repeats a pattern. */
export function copyMatch(
  out: Uint8Array,
  into: DataView,
  put: number,
  to: number,
  distance: number,
  length: number,
): void {
  const from = put - distance;
  if (length >= longCopy && distance >= length) {
    out.copyWithin(put, from, from + length);
  } else if (distance > surplus && put + length + surplus <= to) {
    for (let i = 0; i < length; i += 4) into.setInt32(put + i, into.getInt32(from + i, true), true);
  } else if (distance === 1) {
    out.fill(out[from]!, put, put + length);
  } else {
    for (let i = 0; i < length; i++) out[put + i] = out[from + i]!;
  }
}
