// Owns the copying of flat requests whose memory is about to be used again: that of a request link, or what its reader releases. Network
// thread. Must not change what it copies.

import { FlatMessage } from '../../protocol/flat/flat-view.ts';

/** The bytes of the message, followed by zeros up to a multiple of 8. */
export function copyOf({ u8, byteBase, byteLength }: FlatMessage): ArrayBuffer {
  const copy = new Uint8Array((byteLength + 7) & ~7);
  copy.set(u8.subarray(byteBase, byteBase + byteLength));
  return copy.buffer;
}

/** The same message in memory of its own. */
export function copiedMessage(message: FlatMessage): FlatMessage {
  const memory = copyOf(message);
  const { byteLength } = message;
  return new FlatMessage({ i32: new Int32Array(memory), u8: new Uint8Array(memory), base: 0, byteLength });
}
