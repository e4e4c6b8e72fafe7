// Owns this thread's end of a consumer's link: calls and their answers, batches, events, and waits for them. Application thread. Must
// not decide anything about groups or positions: the network thread does.

import { monotonicNowMs } from '../../common/clock.ts';
import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerAnswer, ConsumerCall, ConsumerEvent } from '../../common/consumer-calls.ts';
import { Cancelled, RingFullError } from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import type { GroupIdentity } from '../../common/transaction-offsets.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import {
  type ConsumerRaiseFrame,
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
import { BellListener } from '../link/bell-listener.ts';
import { Future, fail, failedFuture, succeed } from '../link/future.ts';
import { type BatchHost, ConsumerBatch } from './consumer-batch.ts';
import { type BatchOutcome, settled } from './tracing.ts';

/** A blocked thread checks so often whether the network thread has ended. */
const lookForEndMs = 1000;

/** A batch that can be taken, or an error that comes after the batches before it. */
export type Ready = ConsumerBatch | Error;

/** An error that is raised. */
type Raised = Omit<ConsumerRaiseFrame, 'error'> & { readonly error: Error };

export interface ConsumerLinkParts {
  readonly end: ApplicationEnd;
  readonly table: SharedArrayBuffer;
  readonly onEvent: (event: ConsumerEvent) => void;
  readonly callbackThrew: (error: unknown) => void;
  /** Called when nothing will come any more. */
  readonly onClosed: () => void;
  readonly groupIdentity: () => GroupIdentity;
}

export class ConsumerLink implements BatchHost {
  readonly #parts: ConsumerLinkParts;
  readonly #end: ApplicationEnd;
  readonly #table: BatchTableUser;
  readonly #topics = new Map<number, string>();
  readonly #calls = new Map<number, Future<ConsumerAnswer>>();
  readonly #ready: (ConsumerBatch | Raised)[] = [];
  readonly #waiters = new Set<() => void>();
  /** How many batches of each partition were given back, and how often it was sought. Older frames of it are skipped. */
  readonly #returns = new Map<string, number>();
  /** The batches that this thread has. They are told when their partition is lost. */
  readonly #held = new Set<ConsumerBatch>();
  /** Batches that the application has finished since it asked for records last. */
  #finished: ConsumerBatch[] = [];
  /** How many polls ask for records at this moment. */
  #asking = 0;
  #lastCallId: number;
  #closeError: Error | null = null;
  readonly #bell: BellListener;

  /** @param lastCallId uint32; only tests pass another value than 0 */
  constructor(parts: ConsumerLinkParts, lastCallId = 0) {
    this.#parts = parts;
    this.#lastCallId = lastCallId;
    this.#end = parts.end;
    this.#table = new BatchTableUser(parts.table);
    this.#bell = new BellListener(parts.end.ownDoorbell, this.#hasWork, () => this.drain());
  }

  get end(): ApplicationEnd {
    return this.#end;
  }

  /** The reason why nothing comes any more. Null while the link is open. */
  get closeError(): Error | null {
    return this.#closeError;
  }

  /** Drains from now on whenever the doorbell rings. */
  listen(): void {
    this.#bell.listen();
  }

  readonly #hasWork = (): boolean => {
    if (this.#closeError !== null) return false;
    try {
      return !this.#end.responses.isEmpty();
    } catch {
      // The positions are impossible. The next drain finds the same and handles it.
      return true;
    }
  };

  /** Makes a call to the network thread. Fails with: RingFullError, the call's error, Cancelled, NetworkThreadError. */
  call<T extends ConsumerAnswer>(call: ConsumerCall): Future<T> {
    const { callbackThrew } = this.#parts;
    if (this.#closeError !== null) return failedFuture(this.#closeError, callbackThrew);
    let callId = this.#lastCallId;
    do callId = (callId + 1) >>> 0;
    while (this.#calls.has(callId));
    if (!writeFrame(this.#end.requests, consumerCallFrame({ callId, call }))) {
      return failedFuture(ringFull(), callbackThrew);
    }
    this.#lastCallId = callId;
    // Batches and errors of the former place may be here, or on their way.
    if (call.op === 'seek') this.#skipOlder(call.topic, call.partition);
    const future = new Future<ConsumerAnswer>(callbackThrew);
    this.#calls.set(callId, future);
    this.#end.networkDoorbell.notify();
    return future as unknown as Future<T>;
  }

  /** Tells the network thread that this thread asks for records, until `stopsAsking`. */
  asks(): void {
    this.#recycleFinished();
    this.#asking++;
    this.#table.asked(monotonicNowMs(), true);
    this.#end.networkDoorbell.notify();
  }

  /** To be called once for each `asks`. Others may ask still. */
  stopsAsking(): void {
    if (--this.#asking === 0) this.#table.stoppedWaiting(monotonicNowMs());
  }

  /** Takes the next batch that is not lost, or the next error. Undefined when nothing has come. */
  take(isWanted: (batch: ConsumerBatch) => boolean = () => true): Ready | undefined {
    let at = 0;
    while (at < this.#ready.length) {
      const ready = this.#ready[at]!;
      if (!(ready instanceof ConsumerBatch)) {
        this.#ready.splice(at, 1);
        if (this.#isRaised(ready)) return ready.error;
        continue;
      }
      const isCurrent = this.#isCurrent(ready, ready.returns);
      if (isCurrent && !isWanted(ready)) {
        at++;
        continue;
      }
      this.#ready.splice(at, 1);
      if (isCurrent && this.#table.take(ready.place, ready.serial)) {
        this.#held.add(ready);
        // There is room for another batch now.
        this.#end.networkDoorbell.notify();
        return ready;
      }
      ready.recycle();
    }
    return undefined;
  }

  /** Gives the waiting batches back to the network thread. It hands them out again later. */
  returnReady(isMeant: (batch: ConsumerBatch) => boolean): void {
    for (const ready of [...this.#ready]) {
      if (!(ready instanceof ConsumerBatch && isMeant(ready))) continue;
      this.#ready.splice(this.#ready.indexOf(ready), 1);
      if (this.#table.take(ready.place, ready.serial)) this.giveBack(ready);
    }
  }

  // --- calls of batches

  isHeld(place: number, serial: number): boolean {
    return this.#table.isHeld(place, serial);
  }

  mark(place: number, serial: number, done: number): boolean {
    const isHeld = this.#table.mark(place, serial, done);
    this.#end.networkDoorbell.notify();
    return isHeld;
  }

  giveBack({ topic, partition, place, serial }: ConsumerBatch): void {
    if (!this.#table.giveBack(place, serial)) return;
    // Later batches of the partition may be here already. They are skipped, because they come again after this one.
    this.#skipOlder(topic, partition);
    this.#end.networkDoorbell.notify();
  }

  finished(batch: ConsumerBatch, outcome: BatchOutcome): void {
    if (!this.#held.delete(batch)) return;
    // The application may still read a batch that it has lost: it did not say that it is through with it.
    if (outcome !== 'lost' && !batch.isInUse) this.#finished.push(batch);
    settled(batch, outcome);
  }

  #recycleFinished(): void {
    if (this.#finished.length === 0) return;
    const finished = this.#finished;
    this.#finished = [];
    for (const batch of finished) batch.recycleLent();
  }

  recycle(memory: ArrayBuffer): void {
    this.#end.responses.giveBack(memory);
  }

  groupIdentity(): GroupIdentity {
    return this.#parts.groupIdentity();
  }

  // --- waiting

  /** Resolves when something has come, after `timeoutMs`, or when `signal` is aborted. */
  untilNews(timeoutMs: number, signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        this.#waiters.delete(end);
        resolve();
      };
      // The timer of a thread that was blocked fires before the thread hears of what has come.
      const drainAndEnd = (): void => {
        this.drain();
        end();
      };
      if (timeoutMs < 2 ** 31) timer = setTimeout(drainAndEnd, timeoutMs);
      signal?.addEventListener('abort', end, { once: true });
      this.#waiters.add(end);
      if (signal?.aborted || this.#closeError !== null) end();
    });
  }

  /** Like `untilNews`, but blocks this thread, at most for a second. */
  blockForNews(timeoutMs: number): void {
    this.#end.ownDoorbell.sleepSync(this.#hasWork, Math.min(timeoutMs, lookForEndMs));
    this.drain();
  }

  get isNetworkThreadOver(): boolean {
    return this.#end.counters.isEnded();
  }

  /** Takes the frames that have come. */
  drain(): void {
    const { responses } = this.#end;
    let count = 0;
    try {
      while (this.#closeError === null && responses.next()) {
        this.#takeFrame();
        count++;
      }
    } catch (error) {
      // The shared memory holds an impossible value, so it cannot be read any more.
      this.close(error as Error);
    }
    if (count === 0) return;
    if (responses.isWriterWaiting) this.#end.networkDoorbell.notify();
    for (const batch of [...this.#held]) batch.look();
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** Closes the link: everything that waits fails with `error`. */
  close(error: Error): void {
    if (this.#closeError !== null) return;
    this.#closeError = error;
    this.#bell.close();
    for (const future of this.#calls.values()) fail(future, error);
    this.#calls.clear();
    for (const batch of [...this.#held]) batch.look();
    for (const waiter of [...this.#waiters]) waiter();
    // An armed wait would keep this object and its shared memory alive.
    this.#end.ownDoorbell.notify();
    this.#end.close();
    this.#parts.onClosed();
  }

  /** Whether the network thread knew of everything that was given back when it sent this. */
  #isCurrent({ topic, partition }: TopicPartition, returns: number): boolean {
    return returns === (this.#returns.get(`${topic}-${partition}`) ?? 0);
  }

  /** Whether the error is of the partition's present place, and of this thread. */
  #isRaised({ place, ticket, returns }: Raised): boolean {
    if (place !== null && !this.#isCurrent(place, returns)) return false;
    return ticket === null || this.#table.take(ticket.place, ticket.serial);
  }

  #skipOlder(topic: string, partition: number): void {
    const key = `${topic}-${partition}`;
    this.#returns.set(key, ((this.#returns.get(key) ?? 0) + 1) | 0);
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
      case CONSUMER_RAISE: {
        const raised = takeConsumerRaise(responses);
        this.#ready.push({ ...raised, error: fromPlainError(raised.error) });
        break;
      }
      case CONSUMER_EVENT:
        this.#parts.onEvent(takeConsumerEvent(responses));
        break;
      case CONSUMER_ANSWER: {
        const { callId, answer } = takeConsumerAnswer(responses);
        const future = this.#takeCall(callId);
        if (future !== undefined) succeed(future, answer);
        break;
      }
      case CONSUMER_REFUSAL: {
        const { callId, error } = takeConsumerRefusal(responses);
        const future = this.#takeCall(callId);
        if (future !== undefined) fail(future, fromPlainError(error));
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

/** The error of calls and waits after the consumer was closed. */
export function closedError(): Error {
  return new Cancelled('the consumer was closed');
}
