// Owns the attachment of a client to a network thread that another thread has started: its links, its control port, its end.
// Application thread. Its port closes when the network thread has ended or has detached it.

import { type MessagePort, threadId } from 'node:worker_threads';
import type { ControlResult } from '../../common/control.ts';
import { Cancelled, NetworkThreadError } from '../../common/errors/errors.ts';
import { type ApplicationEnd, openApplicationEnd } from '../../ring/attachment.ts';
import { ClientMetricsReader } from '../../state/api-metrics.ts';
import { STATE_CLOSED } from '../../state/counters.ts';
import type { ClientHandle } from './client-handle.ts';
import { ControlCalls } from './control-calls.ts';
import type { RemoteControl, ThreadAccess } from './thread-access.ts';

/** How long `close` waits for the network thread's answer. Without an answer, the close of the port ends the attachment. */
const closeGraceMs = 2000;
/** How often a thread that awaits the first answer looks whether its time is over. */
const beginLookMs = 250;

export class AttachedThread implements ThreadAccess {
  readonly end: ApplicationEnd;
  readonly threadId = threadId;
  readonly metrics: ClientMetricsReader | null;
  onLost: (error: Error) => void = () => {};
  readonly #port: MessagePort;
  readonly #calls: ControlCalls;
  #isClosing = false;
  #isOver = false;

  constructor(handle: ClientHandle) {
    this.end = openApplicationEnd(handle.application);
    this.metrics = handle.metrics === null ? null : new ClientMetricsReader(handle.metrics);
    this.#port = handle.controlPort;
    this.#calls = new ControlCalls(this.#port);
    this.#port.on('close', () => this.#onPortClosed());
    this.#port.unref();
    // A port that was closed before we listened emits no event.
    queueMicrotask(() => this.look());
  }

  /**
   * Only the time counts in which this thread could have read the answer. A blocked thread reads nothing, and when it goes on its timers fire
   * before its messages are read. So looks are counted: between two of them, all messages are read that have come.
   */
  limitBegin(limitMs: number): () => void {
    let leftMs = limitMs;
    const timer = setInterval(() => {
      leftMs -= beginLookMs;
      if (leftMs > 0) return;
      clearInterval(timer);
      const text = `the network thread did not answer within ${limitMs} ms; the thread that started it may have ended`;
      this.condemn(new NetworkThreadError(text));
    }, beginLookMs);
    return () => clearInterval(timer);
  }

  /** The records of the network thread go to the thread that started it. */
  noticeObservers(): void {}

  reference(isNeeded: boolean): void {
    if (this.#isOver || this.#isClosing) return;
    if (isNeeded) this.#port.ref();
    else this.#port.unref();
  }

  look(): void {
    if (this.end.counters.isEnded()) this.#lose(this.#whyEnded());
  }

  call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    return this.#calls.callOfApplication(run);
  }

  /** This client must not end the network thread, so it detaches itself. */
  condemn(error: Error): void {
    this.#lose(error);
    this.#finish();
  }

  async close(): Promise<void> {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#port.ref();
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeGraceMs);
    });
    // The call fails if the network thread has ended. Then there is nothing to detach from.
    const answered = this.#calls.call((control) => control.close()).catch(() => {});
    await Promise.race([answered, isLate]);
    clearTimeout(timer);
    this.#calls.end(new Cancelled('the client was closed'));
    this.#finish();
  }

  #onPortClosed(): void {
    if (this.#isClosing) this.#calls.end(new Cancelled('the client was closed'));
    else this.#lose(this.#whyEnded());
    this.#finish();
  }

  #whyEnded(): Error {
    const { counters } = this.end;
    if (counters.state() === STATE_CLOSED) return new Cancelled('the client that this one is attached to was closed');
    const what = counters.isEnded() ? 'has ended' : 'has ended, or has detached this client';
    return new NetworkThreadError(`the network thread ${what}`);
  }

  #lose(error: Error): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isOver = true;
    this.#calls.end(error);
    this.onLost(error);
  }

  #finish(): void {
    this.#isOver = true;
    this.#port.close();
    this.end.close();
  }
}
