// Owns an application thread's end of a producer's link: posts frames, rings the doorbell, waits for room, reads the answers.
// Application thread. Must not know what records or deliveries mean.

import { defer } from '../../common/microtask.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import { bodyBytesOf, type Frame, FrameQueue } from '../../ring/frames/frame.ts';
import type { LinkReader } from '../../ring/link.ts';
import { BellListener } from '../link/bell-listener.ts';
import type { BlockingLimit } from '../link/late-limit.ts';

/** How many frames are taken before the event loop may go on. */
const maxFramesPerSlice = 512;

/** Takes the current frame, which releases it, and then deals with it: a callback may come back in here. */
export type OnFrame = (responses: LinkReader) => void;

export class ProducerLink {
  readonly end: ApplicationEnd;
  readonly #onFrame: OnFrame;
  /** Called after every look at the link, even without frames, because there may be room. */
  readonly #onProgress: () => void;
  /** Called once when the link cannot be read any more. */
  readonly #onBroken: (error: unknown) => void;
  /** Frames that must not be lost for want of room. */
  readonly #owed: FrameQueue;
  /** The bytes of room that are waited for. -1: nothing waits. */
  #wantedBytes = -1;
  #unannouncedBytes = 0;
  /** After so many bytes the network thread is notified, so that the ring does not fill while it dozes. */
  readonly #notifyAfterBytes: number;
  #isNotifyDue = false;
  #isClosed = false;
  readonly #bell: BellListener;
  readonly #notify = (): void => {
    if (this.#isNotifyDue) this.announce();
  };

  constructor(end: ApplicationEnd, onFrame: OnFrame, onProgress: () => void, onBroken: (error: unknown) => void) {
    this.end = end;
    this.#owed = new FrameQueue(end.requests);
    this.#notifyAfterBytes = end.requests.ringBytes / 4;
    this.#onFrame = onFrame;
    this.#onProgress = onProgress;
    this.#onBroken = onBroken;
    this.#bell = new BellListener(end.ownDoorbell, this.hasNews, () => this.drain(maxFramesPerSlice));
  }

  /**
   * Notes that a record of this many bytes was committed.
   * @param isAwaited true: the record is awaited, so the network thread is notified at the end of this turn. False: the network thread
   * sees it within the few ms for which it may doze, even if this thread's turn does not end
   */
  posted(byteCount: number, isAwaited: boolean): void {
    this.#unannouncedBytes += byteCount;
    if (this.#unannouncedBytes >= this.#notifyAfterBytes) {
      this.announce();
    } else if (!isAwaited) {
      this.end.networkDoorbell.nudge();
    } else if (!this.#isNotifyDue) {
      this.#isNotifyDue = true;
      defer(this.#notify);
    }
  }

  /** Rings the network thread's doorbell now. */
  announce(): void {
    this.#isNotifyDue = false;
    this.#unannouncedBytes = 0;
    this.end.networkDoorbell.notify();
  }

  /** Posts a frame now, or when there is room. Frames that are posted here keep their order. */
  post(frame: Frame): void {
    this.#owed.put(frame);
    this.#postOwed();
    this.announce();
  }

  /** Whether frames wait for room. Records must not be written before them. */
  get isOwing(): boolean {
    return this.#owed.length > 0 && !this.#postOwed();
  }

  /** Whether there is room for a record of this many bytes, or for several small ones with so many bytes together. */
  hasRoom(byteCount: number): boolean {
    return !this.isOwing && this.#fits(byteCount);
  }

  /** Asks for a notify when there is room for so many bytes. -1: not any more. */
  wantRoom(byteCount: number): void {
    this.#wantedBytes = byteCount;
    this.#setWaiting();
  }

  /**
   * Blocks this thread until `isOver` is true, or the limit is over. Deliveries are only read when there is no room for more of them:
   * the network thread may then take no more records. Returns the last value of `isOver`.
   */
  blockUntil(isOver: () => boolean, limit: BlockingLimit): boolean {
    const { responses, ownDoorbell } = this.end;
    // The network thread may begin to wait for room after this thread has looked: then there is something to do, too.
    const hasWork = (): boolean => isOver() || (responses.isWriterWaiting && this.hasNews());
    for (;;) {
      if (isOver()) return true;
      const leftMs = limit.leftMs();
      if (leftMs <= 0 || this.#isClosed) return false;
      if (responses.isWriterWaiting && this.drain(maxFramesPerSlice) > 0) continue;
      ownDoorbell.sleepSync(hasWork, leftMs);
    }
  }

  /** Reads from now on whenever the doorbell rings. */
  listen(): void {
    this.#bell.listen();
  }

  readonly hasNews = (): boolean => {
    if (this.#isClosed) return false;
    try {
      if (!this.end.responses.isEmpty()) return true;
      const owed = this.#owed.first;
      if (owed !== undefined) return this.end.requests.hasRoom(bodyBytesOf(owed));
      return this.#wantedBytes >= 0 && this.#fits(this.#wantedBytes);
    } catch {
      // The positions are impossible. The next drain finds the same and handles it.
      return true;
    }
  };

  /** Takes the frames that are there, at most `limit`. Returns how many. Never throws: see `onBroken`. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    const { responses } = this.end;
    let count = 0;
    try {
      if (this.#owed.length > 0) this.#postOwed();
      while (count < limit && !this.#isClosed && responses.next()) {
        count++;
        this.#onFrame(responses);
      }
      if (count > 0 && responses.isWriterWaiting) this.end.networkDoorbell.notify();
    } catch (error) {
      if (!this.#isClosed) this.#onBroken(error);
    }
    this.#onProgress();
    return count;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bell.close();
    this.end.ownDoorbell.retire();
    this.end.close();
  }

  /** One large record would be moved and need little room in the ring. Many small ones with so many bytes together need the room in the ring. */
  #fits(byteCount: number): boolean {
    const { requests } = this.end;
    return requests.hasRoom(byteCount) && requests.hasRoom(Math.min(byteCount, requests.spillBytes));
  }

  /** @returns true when none is left */
  #postOwed(): boolean {
    let posted = this.#owed.flush();
    this.#setWaiting();
    // The network thread may have made room before it could see that this thread waits. It rings only for those that it sees waiting.
    if (this.#owed.length > 0) posted += this.#owed.flush();
    if (posted > 0) this.announce();
    if (this.#owed.length === 0) this.#setWaiting();
    return this.#owed.length === 0;
  }

  #setWaiting(): void {
    this.end.requests.setWaiting(this.#wantedBytes >= 0 || this.#owed.length > 0);
  }
}
