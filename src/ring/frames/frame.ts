// Owns frames that can wait: they are written at once, or kept in order until their link has room. Also owns bodies of text. Every
// thread. Must not know any kind of frame.

import { RingCorruptError } from '../../common/errors/errors.ts';
import type { MessageBytes } from '../../common/memory.ts';
import type { LinkReader } from '../link-reader.ts';
import type { LinkWriter } from '../link-writer.ts';

/** A frame before it is written. The writer function of its kind makes it. Other code must not read its fields. */
export interface Frame {
  readonly kind: number;
  /** uint32. */
  readonly requestId: number;
  /** int32. */
  readonly detail: number;
  readonly body: Uint8Array | null;
}

export function emptyFrame(kind: number, requestId: number, detail: number): Frame {
  return { kind, requestId, detail, body: null };
}

/** The size of a frame's body. A link needs room for it. */
export function bodyBytesOf({ body }: Frame): number {
  return body === null ? 0 : body.length;
}

/** @returns false when there is no room; nothing was written then */
export function writeFrame(link: LinkWriter, { kind, requestId, detail, body }: Frame): boolean {
  if (body === null) return link.commitEmpty(kind, requestId, detail);
  if (!link.begin(body.length)) return false;
  link.u8.set(body, link.base);
  if (link.commit(kind, requestId, detail, body.length)) return true;
  link.abandon();
  return false;
}

/** What a waiting frame takes beside its body. */
const frameOverheadBytes = 64;

/** Frames that wait for room in a link, in order. The callers must limit their number. */
export class FrameQueue {
  readonly #link: LinkWriter;
  #waiting: Frame[] = [];
  #waitingBytes = 0;

  constructor(link: LinkWriter) {
    this.#link = link;
  }

  /** How many frames wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** About how many bytes the waiting frames take. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The frame that is written next. Undefined when none waits. */
  get first(): Frame | undefined {
    return this.#waiting[0];
  }

  /** Writes the frame, or keeps it behind the waiting ones. @returns whether it was written */
  put(frame: Frame): boolean {
    if (this.#waiting.length === 0 && writeFrame(this.#link, frame)) return true;
    this.#waiting.push(frame);
    this.#waitingBytes += bodyBytesOf(frame) + frameOverheadBytes;
    return false;
  }

  /** Writes waiting frames while there is room. @returns how many frames were written */
  flush(): number {
    let count = 0;
    while (count < this.#waiting.length && writeFrame(this.#link, this.#waiting[count]!)) {
      this.#waitingBytes -= bodyBytesOf(this.#waiting[count]!) + frameOverheadBytes;
      count++;
    }
    if (count > 0) this.#waiting.splice(0, count);
    return count;
  }

  /** Drops the waiting frames. */
  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

/** The text in UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The value's JSON in UTF-8. */
export function jsonBytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The UTF-8 text in a body: `length` bytes from byte `from` on. */
export function textIn({ u8, base, byteLength }: MessageBytes, from = 0, length = byteLength - from): string {
  return Buffer.from(u8.buffer, u8.byteOffset + base + from, length).toString();
}

/** Parses the JSON in a body. @throws RingCorruptError when it is not JSON */
export function jsonIn(bytes: MessageBytes, from?: number, length?: number): unknown {
  const text = textIn(bytes, from, length);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RingCorruptError(`a frame's body begins with ${JSON.stringify(text.slice(0, 40))}, expected JSON`, {
      cause: error,
    });
  }
}

/** Throws RingCorruptError for a frame that does not belong in this link. */
export function refuseFrame({ kind }: LinkReader, where: string): never {
  throw new RingCorruptError(`a frame of kind ${kind} is in ${where}, where no such frame is written`);
}
