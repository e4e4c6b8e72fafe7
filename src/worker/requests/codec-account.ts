// Owns the count of one receiver's bytes that are in the codec pool or decoded but not read, and the limit on them. Network
// thread. Must not start or end tasks: codec-pool.ts does.

/** Limit of the frames in tasks at a time. It is also the least limit of decoded bodies. A larger frame is decoded alone. */
export const budgetBytes = 64 * 1024 * 1024;

/** Each receiver has an account of its own, so that a slow receiver does not delay the others. */
export class CodecAccount {
  /** Bytes of the frames whose tasks have not ended. */
  bytesInTasks = 0;
  /** Bytes of the decoded bodies that are not in the receiver's link yet. */
  heldBytes = 0;
  /** Bytes of the frames whose tasks run. */
  runningBytes = 0;
  /** When a task of this account began last. The account with the lowest number comes next. */
  lastTurn = 0;
  /** Bytes of the decoded bodies that are in the link and not read, at the last look. */
  unreadBytes = 0;
  /** Limit of decoded bodies, including those that are being decoded. */
  readonly maxBytes: number;
  /** How many times larger than its frame the last body was. The sizes of the next bodies are estimated by it. */
  #expansion = 1;
  /** The same for what was used of the last body's memory. */
  #usedExpansion = 1;
  /** Bytes of the frame that waits for the receiver; 0 if none waits. */
  #refusedBytes = 0;

  constructor(maxBytes = budgetBytes) {
    this.maxBytes = maxBytes;
  }

  /** How many bytes the body of a frame of this size is expected to have, if it is of the kind of the last one. */
  usedBytes(byteCount: number): number {
    return Math.ceil(byteCount * this.#usedExpansion);
  }

  /** Whether a frame waits until the receiver has read more. */
  get isWaiting(): boolean {
    return this.#refusedBytes > 0;
  }

  /** Whether the waiting frame may be decoded when `unreadBytes` are unread. */
  canGoOn(unreadBytes: number): boolean {
    return this.isWaiting && this.#fits(this.#refusedBytes, unreadBytes);
  }

  /** Whether a task for a frame of this size may begin. If not, the account notes that it waits. */
  mayStart(byteCount: number): boolean {
    const mayStart = this.#fits(byteCount, this.unreadBytes);
    this.#refusedBytes = mayStart ? 0 : byteCount;
    return mayStart;
  }

  /** A task for a frame of this size begins. */
  begun(byteCount: number): void {
    this.runningBytes += byteCount;
  }

  /**
   * @param bodyBytes size of the memory of the body that the task made; 0 when it failed
   * @param usedBytes how much of it is used
   */
  ended(byteCount: number, bodyBytes: number, usedBytes: number): void {
    this.runningBytes -= byteCount;
    if (bodyBytes === 0) return;
    this.heldBytes += bodyBytes;
    this.#expansion = Math.max(1, bodyBytes / byteCount);
    this.#usedExpansion = usedBytes / byteCount;
  }

  /** Forgets that a frame waits. */
  clear(): void {
    this.#refusedBytes = 0;
  }

  #fits(byteCount: number, unreadBytes: number): boolean {
    const bytes = this.heldBytes + this.runningBytes + unreadBytes;
    const toCome = (this.runningBytes + byteCount) * this.#expansion;
    return bytes === 0 || this.heldBytes + unreadBytes + toCome <= this.maxBytes;
  }
}
