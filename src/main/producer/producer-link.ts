// Owns an application thread's end of a producer's link: posting frames, ringing the bell, waiting for room, and reading what came back.
// Application thread. Must not know what records or deliveries mean.

import { defer } from '../../common/microtask.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import { bodyBytesOf, type Frame, FrameQueue } from '../../ring/frames/frame.ts';
import type { LinkReader } from '../../ring/link.ts';

/** Frames taken before the event loop gets a turn. */
const maxFramesPerSlice = 512;

/** Takes the current frame, which releases it, and then deals with it: a callback may come back in here. */
export type OnFrame = (responses: LinkReader) => void;

export class ProducerLink {
  readonly end: ApplicationEnd;
  readonly #onFrame: OnFrame;
  /** Called after every look at the link, with or without frames: room may have appeared. */
  readonly #onProgress: () => void;
  /** Called once when the link cannot be read any further. */
  readonly #onBroken: (error: unknown) => void;
  /** Frames that must not be lost for want of room. */
  readonly #owed: FrameQueue;
  /** Room that somebody waits for; -1: nobody does. */
  #wantedBytes = -1;
  #unannouncedBytes = 0;
  /** So that the ring does not fill while the network thread dozes. */
  readonly #notifyAfterBytes: number;
  #isNotifyDue = false;
  #isClosed = false;
  #awaitedBell: Promise<void> | null = null;
  readonly #notify = (): void => {
    if (this.#isNotifyDue) this.announce();
  };
  readonly #listenAgain = (): void => this.listen();
  readonly #onBell = (): void => {
    this.drain(maxFramesPerSlice);
    process.nextTick(this.#listenAgain);
  };

  constructor(end: ApplicationEnd, onFrame: OnFrame, onProgress: () => void, onBroken: (error: unknown) => void) {
    this.end = end;
    this.#owed = new FrameQueue(end.requests);
    this.#notifyAfterBytes = end.requests.ringBytes / 4;
    this.#onFrame = onFrame;
    this.#onProgress = onProgress;
    this.#onBroken = onBroken;
  }

  /**
   * Notes that a record of this many bytes was committed.
   * @param isAwaited somebody waits for it: the network thread hears of it at the end of this turn. Else within the few ms for which
   * it may doze, however long this thread goes on without an end to its turn
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

  /** Rings the network thread's bell now. */
  announce(): void {
    this.#isNotifyDue = false;
    this.#unannouncedBytes = 0;
    this.end.networkDoorbell.notify();
  }

  /** Posts a frame now, or as soon as there is room, in order with other frames that are posted here. */
  post(frame: Frame): void {
    this.#owed.put(frame);
    this.#postOwed();
    this.announce();
  }

  /** Whether frames wait for room: a record must not overtake them. */
  get isOwing(): boolean {
    return this.#owed.length > 0 && !this.#postOwed();
  }

  /** Whether a record of this many bytes would be taken now, or several small ones of as many together. */
  hasRoom(byteCount: number): boolean {
    return !this.isOwing && this.#fits(byteCount);
  }

  /** Asks for a ring of the bell once that many bytes would be taken; -1: no longer. */
  wantRoom(byteCount: number): void {
    this.#wantedBytes = byteCount;
    this.#setWaiting();
  }

  /** Blocks this thread until `isOver` is true, at most `timeoutMs`; deliveries are left where they are. Returns what `isOver` says. */
  blockUntil(isOver: () => boolean, timeoutMs: number, clock: () => number): boolean {
    const deadline = clock() + timeoutMs;
    for (;;) {
      if (isOver()) return true;
      const leftMs = deadline - clock();
      if (leftMs <= 0 || this.#isClosed) return false;
      this.end.ownDoorbell.sleepSync(isOver, leftMs);
    }
  }

  /** Reads whenever the bell rings, from now on. */
  listen(): void {
    if (this.#isClosed) return;
    const bell = this.end.ownDoorbell.sleep(this.hasNews);
    if (bell === null) {
      setImmediate(this.#onBell);
    } else if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.#onBell);
    }
  }

  readonly hasNews = (): boolean => {
    if (this.#isClosed) return false;
    try {
      if (!this.end.responses.isEmpty()) return true;
      const owed = this.#owed.first;
      if (owed !== undefined) return this.end.requests.hasRoom(bodyBytesOf(owed));
      return this.#wantedBytes >= 0 && this.#fits(this.#wantedBytes);
    } catch {
      // Positions that cannot be: the drain that follows finds the same, and deals with it.
      return true;
    }
  };

  /** Takes frames that are there, at most `limit`. Returns how many. Never throws: see `onBroken`. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    const { responses } = this.end;
    let count = 0;
    try {
      if (this.#owed.length > 0 && this.#postOwed()) this.announce();
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
    this.end.ownDoorbell.retire();
    this.end.close();
  }

  /** One large record would be moved, and take next to nothing of the ring; many small ones of as many bytes would not. */
  #fits(byteCount: number): boolean {
    const { requests } = this.end;
    return requests.hasRoom(byteCount) && requests.hasRoom(Math.min(byteCount, requests.spillBytes));
  }

  /** @returns whether none is left */
  #postOwed(): boolean {
    this.#owed.flush();
    this.#setWaiting();
    return this.#owed.length === 0;
  }

  #setWaiting(): void {
    this.end.requests.setWaiting(this.#wantedBytes >= 0 || this.#owed.length > 0);
  }
}
