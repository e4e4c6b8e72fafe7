// Owns sleeping and waking. A doorbell belongs to one thread, which alone calls sleep, doze and sleepSync; any thread that gave
// it work calls notify or nudge. Must not know what the work is.

import { IllegalStateError } from '../common/errors/errors.ts';
import { ASLEEP, ASLEEP_WORD, AWAKE, DOORBELL_BYTES, DOZING, SEQ_WORD } from './layout.ts';

/*
 * Why no wake-up is lost. The notifier publishes work, then exchanges ASLEEP; the sleeper sets ASLEEP, then looks for
 * work. All four are sequentially consistent, so at least one sees the other: either the sleeper finds the work, or the
 * notifier finds ASLEEP set. In that case it adds to SEQ and wakes, and both come after the sleeper loaded SEQ, since that
 * came before it set ASLEEP: so the wait either has begun and is ended, or finds SEQ changed and never begins.
 *
 * SEQ must not change before the exchange. Else a sleeper may load the new SEQ, set ASLEEP, and have it cleared by that
 * same notifier, whose work it took long ago; it would then wait with ASLEEP 0, and nobody would ever wake it.
 *
 * An armed waitAsync outlives the reason to wait, because other events run the thread too. While it is armed, either
 * ASLEEP is 1 or a notifier that set it to 0 is about to wake every waiter, since only notifiers clear ASLEEP. So the
 * armed wait can serve the next sleep as it is, and a thread may block in sleepSync beside it: one notify wakes both.
 *
 * A thread that dozes has a timer, at which it looks for work whatever happens. Its ASLEEP is 2. To notify that is the same as
 * 1, so all of the above holds. A nudge passes over a 2, and so costs no system call: its work is found when the timer is over.
 * It treats 0 and 1 as notify does: it exchanges 1 for 0 after its work is published. So a nudge is late by one timer at most,
 * and never lost: the owner's next sleep sets 1, then looks for work, and finds what was published before the nudge saw the 2.
 */

/**
 * The store that publishes work is one locked instruction on these processors, and no later load comes before it. There a plain load sees
 * what an atomic one sees. The engine calls a function for an atomic load, which is a tenth of the cost of a small record.
 */
const areLoadsOrdered = process.arch === 'x64' || process.arch === 'ia32';

/** Makes the memory of a doorbell. */
export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(DOORBELL_BYTES);
}

export class Doorbell {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  #armed: Promise<void> | null = null;
  readonly #disarm = (): void => {
    this.#armed = null;
  };

  constructor(buffer: SharedArrayBuffer) {
    if (buffer.byteLength !== DOORBELL_BYTES) {
      throw new IllegalStateError(`doorbell of ${buffer.byteLength} bytes, expected ${DOORBELL_BYTES}`);
    }
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /**
   * Wakes the owner if it sleeps. Call after the work is published, once per turn rather than once per frame.
   * Cheap when the owner is awake: one atomic operation, no system call.
   */
  notify(): void {
    // Orders the published work before the look at ASLEEP; exchange, so that one of several notifiers pays for the rest.
    if (Atomics.exchange(this.#words, ASLEEP_WORD, AWAKE) !== AWAKE) this.#wake();
  }

  /**
   * The same for work that can wait until the timer of an owner that dozes: wakes the owner only if it sleeps. The work must have been
   * published by an atomic store of this thread.
   */
  nudge(): void {
    // A load is enough while the owner does not sleep, and costs a fraction of an exchange. Like that, it is ordered after the published work.
    const state = areLoadsOrdered ? this.#words[ASLEEP_WORD]! : Atomics.load(this.#words, ASLEEP_WORD);
    if (state !== ASLEEP) return;
    // Not an exchange: an owner that dozes must be found dozing by the next notify.
    if (Atomics.compareExchange(this.#words, ASLEEP_WORD, ASLEEP, AWAKE) === ASLEEP) this.#wake();
  }

  #wake(): void {
    // An owner between its look for work and its wait must find SEQ changed.
    Atomics.add(this.#words, SEQ_WORD, 1);
    // All waiters: the owner may block in sleepSync while its waitAsync is armed.
    Atomics.notify(this.#words, SEQ_WORD);
  }

  /**
   * Ends whatever wait is armed, for an owner that will not sleep here again. A wait that nobody ends is kept by the engine for
   * ever, with all that its promise leads to.
   */
  retire(): void {
    // Whatever ASLEEP says: a notifier that was ended between its exchange and its notify has woken nobody.
    Atomics.add(this.#words, SEQ_WORD, 1);
    Atomics.notify(this.#words, SEQ_WORD);
  }

  /**
   * Owner only. Sleeps without blocking.
   * @param hasWork must read shared positions afresh (Atomics.load); called once, before this returns
   * @returns null when there is work and nothing was slept; else a promise for the next notify. It may also resolve with no
   * work to be found. It has no deadline, and does not keep the process alive. A pending promise is returned again.
   */
  sleep(hasWork: () => boolean): Promise<void> | null {
    return this.#rest(ASLEEP, hasWork);
  }

  /**
   * Owner only. The same as `sleep`, but `nudge` does not end it: the owner must look for work again after a time of its own
   * choice, whatever happens.
   */
  doze(hasWork: () => boolean): Promise<void> | null {
    return this.#rest(DOZING, hasWork);
  }

  #rest(state: number, hasWork: () => boolean): Promise<void> | null {
    // Before ASLEEP is set: whoever clears it changes SEQ after this load, and the wait below ends.
    const seq = Atomics.load(this.#words, SEQ_WORD);
    // Ordered before the look for work, see above.
    Atomics.store(this.#words, ASLEEP_WORD, state);
    if (hasWork()) return null;
    if (this.#armed !== null) return this.#armed;
    // The only wait of this thread: each one more would stay queued until the next notify.
    const wait = Atomics.waitAsync(this.#words, SEQ_WORD, seq);
    if (!wait.async) return null;
    this.#armed = wait.value.then(this.#disarm);
    return this.#armed;
  }

  /**
   * Owner only. Blocks the thread until a notify, at most `timeoutMs`; returns at once when there is work.
   * @param timeoutMs milliseconds, may be Infinity; 0 or less returns at once
   * @returns whether it returned before the deadline; the caller looks for work either way
   */
  sleepSync(hasWork: () => boolean, timeoutMs: number): boolean {
    // NaN would block for ever.
    if (Number.isNaN(timeoutMs)) throw new IllegalStateError('timeoutMs is NaN, must be a number of milliseconds');
    // The same order as in sleep, for the same reasons.
    const seq = Atomics.load(this.#words, SEQ_WORD);
    Atomics.store(this.#words, ASLEEP_WORD, ASLEEP);
    if (hasWork()) return true;
    // ASLEEP stays 1 after a timeout: only a notifier may clear it, since an armed waitAsync may rely on it.
    return Atomics.wait(this.#words, SEQ_WORD, seq, timeoutMs) !== 'timed-out';
  }
}
