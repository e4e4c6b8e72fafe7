// Owns the copying of bytes from shared memory to any other place. Every thread. The engine's own `set` copies them one by one unless both
// places have the same alignment, and needs a view of the source, which is garbage a moment later (bench/micro/records.ts).

const nodeMajor = Number(process.versions.node.split('.', 1)[0]);
/** Before Node 22, `Buffer.copy` is `set`, but `fill` with bytes is native code. */
const isCopyNative = nodeMajor >= 22;
/** From this size on, a call into native code is faster than a loop. */
const nativeFromBytes = isCopyNative ? 320 : 896;

/** Memory that bytes are copied into, or out of. Make one for each memory, not for each copy. */
export class CopyMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly buffer: Buffer;

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.bytes = bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.buffer = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  }
}

/** Copies `source[from, to)` to `out[at...]`. Returns where the copy ends. Both must be within their memories, and not overlap. */
export function copyBytes(out: CopyMemory, at: number, source: CopyMemory, from: number, to: number): number {
  if (to - from >= nativeFromBytes) return copyNative(out.buffer, at, source.buffer, from, to);
  const target = out.view;
  const { view } = source;
  let i = from;
  let position = at;
  // All reads come before the writes, because the engine checks both places again after each write.
  for (const last = to - 32; i <= last; i += 32, position += 32) {
    const a = view.getInt32(i, true);
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    const e = view.getInt32(i + 16, true);
    const f = view.getInt32(i + 20, true);
    const g = view.getInt32(i + 24, true);
    const h = view.getInt32(i + 28, true);
    target.setInt32(position, a, true);
    target.setInt32(position + 4, b, true);
    target.setInt32(position + 8, c, true);
    target.setInt32(position + 12, d, true);
    target.setInt32(position + 16, e, true);
    target.setInt32(position + 20, f, true);
    target.setInt32(position + 24, g, true);
    target.setInt32(position + 28, h, true);
  }
  for (const last = to - 4; i <= last; i += 4, position += 4) target.setInt32(position, view.getInt32(i, true), true);
  for (; i < to; i++, position++) target.setUint8(position, view.getUint8(i));
  return position;
}

function copyNative(out: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const end = at + to - from;
  if (isCopyNative) source.copy(out, at, from, to);
  else out.fill(source.subarray(from, to), at, end);
  return end;
}
