// Owns the types of what is reported of blocked application threads. Network thread. Types only.

/** What is said of a blocked thread. */
export interface BlockedThread {
  /** Node's number of the thread; 0 for the main thread, null if it is not known. */
  readonly threadId: number | null;
  readonly blockedMs: number;
  /** Of its links together. */
  readonly unreadBytes: number;
  readonly ringBytes: number;
  readonly movedBytes: number;
}

export interface BlockedThreadsReport {
  threadBlocked(thread: BlockedThread): void;
  /** Called again and again while the thread is blocked. */
  threadStillBlocked(blockedMs: number): void;
  threadReadsAgain(threadId: number | null, blockedMs: number): void;
}
