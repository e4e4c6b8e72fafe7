// Owns this thread's end of a consumer's link: calls and their answers, batches that have come, events, waiting for them.
// Application thread. Must not decide anything about groups or positions: the network thread does.

import { monotonicNowMs } from '../../common/clock.ts';
import type { ConsumerAnswer, ConsumerCall, ConsumerEvent } from '../../common/consumer-calls.ts';
import { Cancelled, RingFullError } from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import {
  consumerCallFrame,
  takeConsumerAnswer,
  takeConsumerBatch,
  takeConsumerEvent,
  takeConsumerRaise,
  takeConsumerRefusal,
  takeConsumerTopic,
} from '../../ring/frames/consumer-frames.ts';
import { refuseFrame, writeFrame } from '../../ring/frames/frame.ts';
import {
  CONSUMER_ANSWER,
  CONSUMER_BATCH,
  CONSUMER_EVENT,
  CONSUMER_RAISE,
  CONSUMER_REFUSAL,
  CONSUMER_TOPIC,
} from '../../ring/frames/kinds.ts';
import { BatchTableUser } from '../../state/batch-table.ts';
import { STATE_CLOSED } from '../../state/counters.ts';
import { Future, failedFuture } from '../link/future.ts';
import { type BatchHost, ConsumerBatch } from './consumer-batch.ts';

/** A blocked thread looks this often whether the network thread is still there. */
const lookForEndMs = 1000;

/** What waits to be taken: a batch, or an error behind the batches before it. */
export type Ready = ConsumerBatch | Error;

export interface ConsumerLinkParts {
  readonly end: ApplicationEnd;
  readonly table: SharedArrayBuffer;
  readonly onEvent: (event: ConsumerEvent) => void;
  readonly callbackThrew: (error: unknown) => void;
  /** Nothing comes any more. */
  readonly onClosed: () => void;
}

export class ConsumerLink implements BatchHost {
  readonly #parts: ConsumerLinkParts;
  readonly #end: ApplicationEnd;
  readonly #table: BatchTableUser;
  readonly #topics = new Map<number, string>();
  readonly #calls = new Map<number, Future<ConsumerAnswer>>();
  readonly #ready: Ready[] = [];
  readonly #waiters = new Set<() => void>();
  /** Of partitions that went back: batches of earlier rounds are passed over. */
  readonly #leastRounds = new Map<string, number>();
  /** Batches this thread holds, told when their partition is lost. */
  readonly #held = new Set<ConsumerBatch>();
  #lastCallId = 0;
  #closeError: Error | null = null;
  #awaitedBell: Promise<void> | null = null;
  readonly #onBell = (): void => {
    this.drain();
    process.nextTick(this.#listenAgain);
  };
  readonly #listenAgain = (): void => this.listen();

  constructor(parts: ConsumerLinkParts) {
    this.#parts = parts;
    this.#end = parts.end;
    this.#table = new BatchTableUser(parts.table);
  }

  /** Why nothing comes any more; null while something may. */
  get closeError(): Error | null {
    return this.#closeError;
  }

  /** Takes what comes whenever the doorbell rings, from now on. */
  listen(): void {
    if (this.#closeError !== null) return;
    const bell = this.#end.ownDoorbell.sleep(this.#hasWork);
    if (bell === null) {
      setImmediate(this.#onBell);
    } else if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.#onBell);
    }
  }

  readonly #hasWork = (): boolean => this.#closeError === null && !this.#end.responses.isEmpty();

  /** Asks the network thread. Fails with: RingFullError, what the call fails with, Cancelled, NetworkThreadError. */
  call<T extends ConsumerAnswer>(call: ConsumerCall): Future<T> {
    const { callbackThrew } = this.#parts;
    if (this.#closeError !== null) return failedFuture(this.#closeError, callbackThrew);
    const callId = (this.#lastCallId + 1) >>> 0;
    if (!writeFrame(this.#end.requests, consumerCallFrame({ callId, call }))) {
      return failedFuture(ringFull(), callbackThrew);
    }
    this.#lastCallId = callId;
    const future = new Future<ConsumerAnswer>(callbackThrew);
    this.#calls.set(callId, future);
    this.#end.networkDoorbell.notify();
    return future as unknown as Future<T>;
  }

  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  /** Tells the network thread that records are wanted. */
  asks(isWaiting: boolean): void {
    this.#table.asked(monotonicNowMs(), isWaiting);
    this.#end.networkDoorbell.notify();
  }

  stopsAsking(): void {
    this.#table.stoppedWaiting(monotonicNowMs());
  }

  /** The next batch that is still this consumer's, or an error whose turn it is; undefined when nothing has come. */
  take(isWanted: (batch: ConsumerBatch) => boolean = () => true): Ready | undefined {
    let at = 0;
    while (at < this.#ready.length) {
      const ready = this.#ready[at]!;
      if (ready instanceof Error) {
        this.#ready.splice(at, 1);
        return ready;
      }
      const leastRound = this.#leastRounds.get(`${ready.topic}-${ready.partition}`) ?? 0;
      if (ready.round >= leastRound && !isWanted(ready)) {
        at++;
        continue;
      }
      this.#ready.splice(at, 1);
      if (ready.round >= leastRound && this.#table.take(ready.place, ready.serial)) {
        this.#held.add(ready);
        // There is room for another now.
        this.#end.networkDoorbell.notify();
        return ready;
      }
      ready.recycle();
    }
    return undefined;
  }

  /** Gives batches that wait here back to the network thread, which hands them out when they are wanted. */
  returnReady(isMeant: (batch: ConsumerBatch) => boolean): void {
    for (const ready of [...this.#ready]) {
      if (ready instanceof Error || !isMeant(ready)) continue;
      this.#ready.splice(this.#ready.indexOf(ready), 1);
      if (this.#table.take(ready.place, ready.serial)) this.giveBack(ready);
    }
  }

  // --- of batches

  isHeld(place: number, serial: number): boolean {
    return this.#table.isHeld(place, serial);
  }

  mark(place: number, serial: number, done: number): boolean {
    const isHeld = this.#table.mark(place, serial, done);
    this.#end.networkDoorbell.notify();
    return isHeld;
  }

  giveBack({ topic, partition, round, place, serial }: ConsumerBatch): void {
    // Batches behind it may be here already, or on their way: they come again, after it.
    this.#leastRounds.set(`${topic}-${partition}`, round + 1);
    this.#table.giveBack(place, serial);
    this.#end.networkDoorbell.notify();
  }

  finished(batch: ConsumerBatch): void {
    this.#held.delete(batch);
  }

  recycle(memory: ArrayBuffer): void {
    this.#end.responses.giveBack(memory);
  }

  // --- waiting

  /** Resolves when something has come, at the latest after `timeoutMs`, or when `signal` is aborted. */
  untilNews(timeoutMs: number, signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        this.#waiters.delete(end);
        resolve();
      };
      if (timeoutMs < 2 ** 31) timer = setTimeout(end, timeoutMs);
      signal?.addEventListener('abort', end, { once: true });
      this.#waiters.add(end);
      if (signal?.aborted || this.#closeError !== null) end();
    });
  }

  /** The same, and blocks this thread, at most for a second. */
  blockForNews(timeoutMs: number): void {
    this.#end.ownDoorbell.sleepSync(this.#hasWork, Math.min(timeoutMs, lookForEndMs));
    this.drain();
  }

  get isNetworkThreadOver(): boolean {
    return this.#end.counters.state() === STATE_CLOSED;
  }

  /** Takes what has come. */
  drain(): void {
    const { responses } = this.#end;
    let count = 0;
    try {
      while (this.#closeError === null && responses.next()) {
        this.#takeFrame();
        count++;
      }
    } catch (error) {
      // Shared memory that nobody writes so: nothing of it can be read any further.
      this.close(error as Error);
    }
    if (count === 0) return;
    if (responses.isWriterWaiting) this.#end.networkDoorbell.notify();
    for (const batch of [...this.#held]) batch.look();
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** Nothing comes any more: everything that waits fails with `error`. */
  close(error: Error): void {
    if (this.#closeError !== null) return;
    this.#closeError = error;
    for (const future of this.#calls.values()) future.failure(error);
    this.#calls.clear();
    for (const batch of [...this.#held]) batch.look();
    for (const waiter of [...this.#waiters]) waiter();
    // An armed wait would keep this, and the memory behind it.
    this.#end.ownDoorbell.notify();
    this.#end.close();
    this.#parts.onClosed();
  }

  #takeFrame(): void {
    const { responses } = this.#end;
    switch (responses.kind) {
      case CONSUMER_BATCH: {
        const batch = takeConsumerBatch(responses);
        this.#ready.push(new ConsumerBatch(this, this.#topics.get(batch.topicHandle)!, batch));
        break;
      }
      case CONSUMER_TOPIC: {
        const { topicHandle, name } = takeConsumerTopic(responses);
        this.#topics.set(topicHandle, name);
        break;
      }
      case CONSUMER_RAISE:
        this.#ready.push(fromPlainError(takeConsumerRaise(responses)));
        break;
      case CONSUMER_EVENT:
        this.#parts.onEvent(takeConsumerEvent(responses));
        break;
      case CONSUMER_ANSWER: {
        const { callId, answer } = takeConsumerAnswer(responses);
        this.#takeCall(callId)?.success(answer);
        break;
      }
      case CONSUMER_REFUSAL: {
        const { callId, error } = takeConsumerRefusal(responses);
        this.#takeCall(callId)?.failure(fromPlainError(error));
        break;
      }
      default:
        refuseFrame(responses, 'the link of a consumer');
    }
  }

  #takeCall(callId: number): Future<ConsumerAnswer> | undefined {
    const future = this.#calls.get(callId);
    this.#calls.delete(callId);
    return future;
  }
}

function ringFull(): Error {
  return new RingFullError('the link of the consumer has no room: the network thread is behind; nothing was sent');
}

/** What calls and waits fail with when the consumer was closed. */
export function closedError(): Error {
  return new Cancelled('the consumer was closed');
}
