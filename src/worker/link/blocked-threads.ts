// Owns the diagnosis of blocked application threads: which thread has not read its links for how long. It says so once, and once more
// when the thread reads again. Network thread. Must only report: no decision may depend on it.
//
// A link is looked at only when something was written to it, and then once in `limitMs`: an idle client has no timer for this.

import type { LinkWriter } from '../../ring/link.ts';
import type { BlockedThread, BlockedThreadsReport } from '../report/blocked-thread-report.ts';
import { movedBytesTo } from './moved-bytes.ts';

/** While a thread is blocked, it is looked at so often. */
const blockedLookMs = 1000;
/** A look that comes later than this shows that this thread, or the whole process, stood still. */
const lateMs = 1000;

type WatchedLink = Pick<LinkWriter, 'position' | 'releasedPosition' | 'ringBytes' | 'spilledBytesOutstanding'>;

/** The thread of a link. The links of the same object belong together. */
export interface LinkOwner {
  readonly threadId: number;
}

interface Watched {
  readonly link: WatchedLink;
  readonly isOver: () => boolean;
  /** Position of the writer when it was last known that nothing is unread. */
  writtenAt: number;
  /** Position of the reader at the last look. */
  readAt: number;
}

export class BlockedThreads {
  readonly #limitMs: number;
  readonly #report: BlockedThreadsReport;
  readonly #threads = new Map<object, WatchedThread>();
  /** The same threads: this list is read in every round, and makes no garbage. */
  #list: readonly WatchedThread[] = [];
  #nextDeadline = Number.POSITIVE_INFINITY;
  #blocked = 0;

  /** @param limitMs 0: nothing is watched */
  constructor(limitMs: number, report: BlockedThreadsReport) {
    this.#limitMs = limitMs;
    this.#report = report;
  }

  /**
   * Watches a link until `isOver` is true.
   * @param owner null: a thread that is known by this link only
   */
  add(owner: LinkOwner | null, link: WatchedLink, isOver: () => boolean): void {
    if (this.#limitMs === 0) return;
    const key = owner ?? link;
    const thread = this.#threads.get(key) ?? new WatchedThread(owner, this.#limitMs, this.#report);
    this.#threads.set(key, thread);
    this.#list = [...this.#threads.values()];
    thread.add(link, isOver);
  }

  /** When `poll` has to be called at the latest. */
  get nextDeadline(): number {
    return this.#nextDeadline;
  }

  /** How many threads are blocked. */
  get count(): number {
    return this.#blocked;
  }

  /** Once a round, after everything was written. */
  poll(now: number): void {
    let deadline = Number.POSITIVE_INFINITY;
    let blocked = 0;
    let hasEmpty = false;
    for (const thread of this.#list) {
      thread.poll(now);
      if (thread.isEmpty) hasEmpty = true;
      if (thread.lookAt < deadline) deadline = thread.lookAt;
      if (thread.isBlocked) blocked++;
    }
    this.#nextDeadline = deadline;
    this.#blocked = blocked;
    if (hasEmpty) this.#forgetEmpty();
  }

  #forgetEmpty(): void {
    for (const [key, thread] of this.#threads) if (thread.isEmpty) this.#threads.delete(key);
    this.#list = [...this.#threads.values()];
  }
}

class WatchedThread {
  readonly #owner: LinkOwner | null;
  readonly #limitMs: number;
  readonly #report: BlockedThreadsReport;
  #links: Watched[] = [];
  /** When it is looked at next. Infinity: everything was read, as far as is known. */
  lookAt = Number.POSITIVE_INFINITY;
  isBlocked = false;
  /** Since when the thread has read nothing, although there is something to read. */
  #since = 0;

  constructor(owner: LinkOwner | null, limitMs: number, report: BlockedThreadsReport) {
    this.#owner = owner;
    this.#limitMs = limitMs;
    this.#report = report;
  }

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  add(link: WatchedLink, isOver: () => boolean): void {
    this.#links.push({ link, isOver, writtenAt: link.releasedPosition, readAt: link.releasedPosition });
  }

  poll(now: number): void {
    const isResting = this.lookAt === Number.POSITIVE_INFINITY;
    let hasNews = false;
    let hasEnds = false;
    for (const watched of this.#links) {
      // Nothing is written to a link that is over: it would never be looked at again.
      if (watched.isOver()) hasEnds = true;
      else if (isResting && watched.link.position !== watched.writtenAt) hasNews = true;
    }
    if (hasEnds || this.isBlocked || now >= this.lookAt) this.#look(now);
    if (hasNews && this.lookAt === Number.POSITIVE_INFINITY) this.#begin(now);
  }

  #begin(now: number): void {
    this.#since = now;
    this.lookAt = now + this.#limitMs;
    for (const watched of this.#links) watched.readAt = watched.link.releasedPosition;
  }

  #look(now: number): void {
    this.#links = this.#links.filter(({ isOver }) => !isOver());
    const hasRead = this.#links.some(({ link, readAt }) => link.releasedPosition !== readAt);
    const hasUnread = this.#links.some(({ link }) => link.releasedPosition !== link.position);
    if (!hasUnread || hasRead) {
      this.#readsAgain(now);
      if (hasUnread) this.#begin(now);
      else this.#rest();
      return;
    }
    const blockedMs = now - this.#since;
    if (this.isBlocked) {
      this.#report.threadStillBlocked(blockedMs);
      this.lookAt = Math.max(this.lookAt, now + blockedLookMs);
    } else if (now > this.lookAt + lateMs) {
      this.#begin(now);
    } else if (blockedMs >= this.#limitMs) {
      this.isBlocked = true;
      this.lookAt = now + blockedLookMs;
      this.#report.threadBlocked({ threadId: this.#threadId, blockedMs, ...this.#sums() });
    }
  }

  #rest(): void {
    this.lookAt = Number.POSITIVE_INFINITY;
    for (const watched of this.#links) watched.writtenAt = watched.link.position;
  }

  #readsAgain(now: number): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.#report.threadReadsAgain(this.#threadId, now - this.#since);
  }

  get #threadId(): number | null {
    return this.#owner?.threadId ?? null;
  }

  #sums(): Pick<BlockedThread, 'unreadBytes' | 'ringBytes' | 'movedBytes'> {
    let [unreadBytes, ringBytes, movedBytes] = [0, 0, 0];
    for (const { link } of this.#links) {
      // Not more than the ring has, whatever the reader's position is.
      unreadBytes += Math.min((link.position - link.releasedPosition) >>> 0, link.ringBytes);
      ringBytes += link.ringBytes;
      movedBytes += movedBytesTo(link);
    }
    return { unreadBytes, ringBytes, movedBytes };
  }
}
