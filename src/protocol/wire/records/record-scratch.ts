// Owns a thread's spare buffer for records on their way into a compressor. Runs in the network thread and the codec
// pool. Must not hold on to the memory of an unusually large batch.

const keptBytes = 4 * 1024 * 1024;

let kept = new Uint8Array(0);

/** At least `bytes` bytes with undefined contents, valid until the next call. */
export function scratch(bytes: number): Uint8Array {
  if (bytes <= kept.length) return kept;
  const fresh = new Uint8Array(Math.max(bytes, Math.min(kept.length * 2, keptBytes)));
  if (fresh.length <= keptBytes) kept = fresh;
  return fresh;
}
