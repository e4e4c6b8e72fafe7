// Owns the reading of the response link: takes each body, finds its Future, completes it. Application thread. Runs when
// the doorbell rings, and inside poll and pollSync; callbacks of Futures run in here.

import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { fromPlainError, type PlainError } from '../../common/errors/plain-error.ts';
import { thrownError } from '../../common/thrown.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { Metadata } from '../../protocol/flat/generated/apis.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import { type ClusterHints, clusterHintsOf } from '../../protocol/flat/leader-hints.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import { FAILURE, METADATA, POLLED, RESPONSE, RESPONSE_PREFIX_BYTES } from '../../ring/frames.ts';
import { fail, succeed } from './future.ts';
import type { InFlight } from './in-flight.ts';
import { ResponseLog } from './response-log.ts';

/** Frames taken before the event loop gets a turn. */
const maxFramesPerSlice = 512;

/** Who takes over what responses tell of the cluster. */
export interface ClusterListener {
  update(response: MetadataResponseView, updateId: number): void;
  learn(hints: ClusterHints): void;
}

export class ResponseAdapter {
  readonly #end: ApplicationEnd;
  readonly #inFlight: InFlight;
  readonly #cluster: ClusterListener;
  /** Called after every drain that took something. */
  onProgress: () => void = () => {};
  /** Called once when the link cannot be read any further; nothing is taken from it afterwards. */
  onBroken: (error: unknown) => void = () => {};
  /** What completes while polls are under way. */
  readonly log = new ResponseLog();
  /** Counts responses, whoever they are for. */
  responses = 0;
  /** Told of each response, in the order of arrival; they must not throw. */
  readonly #listeners = new Set<(response: unknown) => void>();
  #lastPolled = 0;
  /** Answers to requests that had been settled here before. */
  lateResponses = 0;
  #isClosed = false;
  #awaitedBell: Promise<void> | null = null;
  readonly #listenAgain = (): void => this.listen();
  readonly #onBell = (): void => {
    this.drain(maxFramesPerSlice);
    // Whoever awaits a Future goes on before this thread prepares to sleep: only then it needs a bell. In this turn of the
    // event loop, though: one more costs a fifth of what an awaited request takes this thread (bench/macro/round-trip.ts).
    process.nextTick(this.#listenAgain);
  };

  constructor(end: ApplicationEnd, inFlight: InFlight, cluster: ClusterListener) {
    this.#end = end;
    this.#inFlight = inFlight;
    this.#cluster = cluster;
  }

  /** Drains whenever the doorbell rings, from now on. */
  listen(): void {
    if (this.#isClosed) return;
    const bell = this.#end.ownDoorbell.sleep(this.hasWork);
    if (bell === null) {
      setImmediate(this.#onBell);
    } else if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.#onBell);
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  readonly hasWork = (): boolean => {
    if (this.#isClosed) return false;
    try {
      return !this.#end.responses.isEmpty();
    } catch {
      // Positions that cannot be: the drain that follows finds the same, and deals with it.
      return true;
    }
  };

  /** Whether the network thread has answered this poll. */
  hasPolled(pollId: number): boolean {
    return ((this.#lastPolled - pollId) | 0) >= 0;
  }

  /** Calls `listener` with each response from now on. @returns ends that */
  listenForResponses(listener: (response: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes frames that are there, at most `limit`. Returns how many. Never throws: see `onBroken`. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    const { responses } = this.#end;
    let count = 0;
    try {
      while (count < limit && !this.#isClosed && responses.next()) {
        this.#take();
        count++;
      }
    } catch (error) {
      this.#isClosed = true;
      this.onBroken(error);
    }
    if (count === 0) return 0;
    if (responses.isWriterWaiting) this.#end.networkDoorbell.notify();
    this.onProgress();
    return count;
  }

  /** Everything is copied out and released first: a callback may come back in here. */
  #take(): void {
    const { responses } = this.#end;
    const { kind, requestId, detail } = responses;
    if (kind === POLLED) {
      responses.release();
      this.#lastPolled = requestId;
      return;
    }
    const body = responses.own();
    responses.release();
    if (kind === METADATA) {
      const response = Metadata.readResponse(new FlatMessage(body, RESPONSE_PREFIX_BYTES));
      this.#cluster.update(response, requestId);
      this.#collected(response);
    } else if (kind === RESPONSE) {
      this.#succeed(requestId, body);
    } else if (kind === FAILURE) {
      this.#fail(requestId, detail, body);
    }
  }

  #succeed(requestId: number, body: ReturnType<ApplicationEnd['responses']['own']>): void {
    const pending = this.#inFlight.take(requestId);
    // The application may have settled or given up its Future by itself.
    if (pending === undefined || pending.future.isDone) {
      this.lateResponses++;
      return;
    }
    if (body.byteLength === 0) {
      succeed(pending.future, null);
      return;
    }
    let response: unknown;
    let hints: ClusterHints | null;
    try {
      const message = new FlatMessage(body, RESPONSE_PREFIX_BYTES);
      message.isRecyclable = body.isMoved;
      response = pending.api.readResponse(message);
      hints = clusterHintsOf(pending.api, response);
    } catch (error) {
      // An API of the application's own, or code that cannot be loaded: its request alone fails.
      fail(pending.future, thrownError(error));
      return;
    }
    if (hints !== null) this.#cluster.learn(hints);
    this.#collected(response);
    succeed(pending.future, response);
  }

  #fail(requestId: number, nodeId: number, body: ReturnType<ApplicationEnd['responses']['own']>): void {
    const pending = this.#inFlight.take(requestId);
    if (pending === undefined) {
      this.lateResponses++;
      return;
    }
    const text = Buffer.from(body.u8.buffer, body.u8.byteOffset + body.base, body.byteLength).toString('utf8');
    fail(pending.future, withNodeId(fromPlainError(JSON.parse(text) as PlainError), nodeId));
  }

  #collected(response: unknown): void {
    this.responses++;
    this.log.add(response);
    for (const listener of this.#listeners) listener(response);
  }
}
