// Owns the place of a client instance id (KIP-714) in shared memory: the network thread writes it once, every thread reads it. Must not know
// who gives such ids.

/** 16 bytes of the id, and an int32 that says whether it is there. */
export const INSTANCE_ID_BYTES = 24;
const ID_BYTES = 16;

/** @param offset a multiple of 4; @param id 22 characters of base64url, as Kafka prints uuids */
export function writeInstanceId(buffer: SharedArrayBuffer, offset: number, id: string): void {
  new Uint8Array(buffer, offset, ID_BYTES).set(Buffer.from(id, 'base64url').subarray(0, ID_BYTES));
  // Atomic: whoever sees it sees the id.
  Atomics.store(new Int32Array(buffer, offset + ID_BYTES, 1), 0, 1);
}

/** Null: none was written so far. */
export function readInstanceId(buffer: SharedArrayBuffer, offset: number): string | null {
  if (Atomics.load(new Int32Array(buffer, offset + ID_BYTES, 1), 0) === 0) return null;
  return Buffer.from(new Uint8Array(buffer, offset, ID_BYTES)).toString('base64url');
}
