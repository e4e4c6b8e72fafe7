// Owns the count of what one receiver of decoded bodies has in the codec pool and has not read yet, and the bound on it. Network
// thread. Must not start or end tasks: codec-pool.ts does.

/** Of frames in tasks at a time, and of decoded bodies where a receiver's own budget is less. A larger one goes alone. */
export const budgetBytes = 64 * 1024 * 1024;

/** Each receiver has an account of its own, so that one that is behind holds up no other. */
export class CodecAccount {
  /** Of frames whose tasks have not ended. */
  bytesInTasks = 0;
  /** Of decoded bodies that the receiver's link has not taken over yet. */
  heldBytes = 0;
  /** Of the frames whose tasks run. */
  runningBytes = 0;
  /** Of decoded bodies that are in the link and not read, when that was looked at last. */
  unreadBytes = 0;
  readonly #limitBytes: number;
  /** How much larger than its frame the last body was: what the others will need is not known before they are there. */
  #expansion = 1;
  /** Of the frame that had to wait for the receiver; 0 while none does. */
  #refusedBytes = 0;

  /** @param limitBytes of decoded bodies, those that are being made included */
  constructor(limitBytes = budgetBytes) {
    this.#limitBytes = limitBytes;
  }

  /** A frame waits until the receiver has read more. */
  get isWaiting(): boolean {
    return this.#refusedBytes > 0;
  }

  /** Whether the frame that waits may be decoded, now that so much is unread. */
  canGoOn(unreadBytes: number): boolean {
    return this.isWaiting && this.#fits(this.#refusedBytes, unreadBytes);
  }

  /** Whether a task for a frame of so many bytes may begin; if not, it waits. */
  mayStart(byteCount: number): boolean {
    const mayStart = this.#fits(byteCount, this.unreadBytes);
    this.#refusedBytes = mayStart ? 0 : byteCount;
    return mayStart;
  }

  /** A task for a frame of so many bytes begins. */
  begun(byteCount: number): void {
    this.runningBytes += byteCount;
  }

  /** @param bodyBytes what the task made of the frame; 0 when it made nothing */
  ended(byteCount: number, bodyBytes: number): void {
    this.runningBytes -= byteCount;
    if (bodyBytes === 0) return;
    this.heldBytes += bodyBytes;
    this.#expansion = Math.max(1, bodyBytes / byteCount);
  }

  /** Nothing waits for the receiver, as far as is known. */
  clear(): void {
    this.#refusedBytes = 0;
  }

  #fits(byteCount: number, unreadBytes: number): boolean {
    const bytes = this.heldBytes + this.runningBytes + unreadBytes;
    const toCome = (this.runningBytes + byteCount) * this.#expansion;
    return bytes === 0 || this.heldBytes + unreadBytes + toCome <= this.#limitBytes;
  }
}
