// Owns the reading of the response link: takes each body, finds its Future, completes it. Application thread. It runs when the
// doorbell rings, and inside poll and pollSync. Callbacks of Futures run inside it.

import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { thrownError } from '../../common/thrown.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { Metadata } from '../../protocol/flat/generated/apis.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import { type ClusterHints, clusterHintsOf } from '../../protocol/flat/leader-hints.ts';
import { type RecordLender, RecordLoan } from '../../protocol/flat/record-loan.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import {
  type FailureFrame,
  type ResponseFrame,
  takeFailure,
  takeMetadata,
  takePolled,
  takeResponse,
  takeSent,
} from '../../ring/frames/client-frames.ts';
import { refuseFrame } from '../../ring/frames/frame.ts';
import { FAILURE, METADATA, POLLED, RESPONSE, SENT } from '../../ring/frames/kinds.ts';
import { OwnedBytes } from '../../ring/owned-bytes.ts';
import { BellListener } from './bell-listener.ts';
import { fail, succeed } from './future.ts';
import type { InFlight } from './in-flight.ts';
import { ResponseLog } from './response-log.ts';

/** How many frames are taken before the event loop may go on. */
const maxFramesPerSlice = 512;
const noBytes = new OwnedBytes(new Int32Array(0), new Uint8Array(0), 0, 0);

/** Takes what responses say about the cluster. */
export interface ClusterListener {
  update(response: MetadataResponseView, updateId: number): void;
  learn(hints: ClusterHints): void;
}

export class ResponseAdapter implements RecordLender {
  readonly #end: ApplicationEnd;
  readonly #inFlight: InFlight;
  readonly #cluster: ClusterListener;
  /** The response that is being taken. One object is used for all. */
  readonly #response: ResponseFrame = { requestId: 0, body: noBytes };
  /** Called after every drain that took something. */
  onProgress: () => void = () => {};
  /** Called once when the link cannot be read any more. Nothing is taken from it after that. */
  onBroken: (error: unknown) => void = () => {};
  /** The responses that complete while polls are under way. */
  readonly log = new ResponseLog();
  /** Counts all responses. */
  responses = 0;
  /** Called with each response, in the order of arrival. They must not throw. */
  readonly #listeners = new Set<(response: unknown) => void>();
  /** Responses whose records cursors have passed since the last drain. */
  #passed: FlatMessage[] = [];
  #lastPolled = 0;
  /** Counts responses to requests that were settled here before. */
  lateResponses = 0;
  #isClosed = false;
  readonly #bell: BellListener;

  constructor(end: ApplicationEnd, inFlight: InFlight, cluster: ClusterListener) {
    this.#end = end;
    this.#inFlight = inFlight;
    this.#cluster = cluster;
    this.#bell = new BellListener(end.ownDoorbell, this.hasWork, () => this.drain(maxFramesPerSlice));
  }

  /** Drains from now on whenever the doorbell rings. */
  listen(): void {
    this.#bell.listen();
  }

  close(): void {
    this.#isClosed = true;
    this.#passed = [];
    this.#bell.close();
  }

  readonly hasWork = (): boolean => {
    if (this.#isClosed) return false;
    try {
      return !this.#end.responses.isEmpty();
    } catch {
      // The positions are impossible. The next drain finds the same and handles it.
      return true;
    }
  };

  /** Whether the network thread has answered the poll. */
  hasPolled(pollId: number): boolean {
    return ((this.#lastPolled - pollId) | 0) >= 0;
  }

  /** Calls `listener` with each response from now on. @returns a function that removes the listener */
  listenForResponses(listener: (response: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes the frames that are there, at most `limit`. Returns how many. Never throws: see `onBroken`. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    const { responses } = this.#end;
    let count = 0;
    this.#takeBack();
    try {
      while (count < limit && !this.#isClosed && responses.next()) {
        this.#take();
        count++;
      }
    } catch (error) {
      this.close();
      this.onBroken(error);
    }
    if (count === 0) return 0;
    if (responses.isWriterWaiting) this.#end.networkDoorbell.notify();
    this.onProgress();
    return count;
  }

  passed(message: FlatMessage): void {
    if (!this.#isClosed) this.#passed.push(message);
  }

  /** The code that read these responses has returned, or it polls. So it is through with what it has passed, unless it kept something. */
  #takeBack(): void {
    if (this.#passed.length === 0) return;
    const passed = this.#passed;
    this.#passed = [];
    for (const message of passed) {
      message.loan!.isListed = false;
      const memory = message.recyclePassed();
      if (memory !== null) this.#end.responses.giveBack(memory);
    }
  }

  /** Everything is copied out and released before callbacks run, because a callback may call this again. */
  #take(): void {
    const { responses } = this.#end;
    switch (responses.kind) {
      case RESPONSE: {
        const { requestId, body } = takeResponse(responses, this.#response);
        // Nothing of it is kept here.
        this.#response.body = noBytes;
        this.#succeed(requestId, body);
        break;
      }
      case SENT:
        this.#succeed(takeSent(responses), null);
        break;
      case FAILURE:
        this.#fail(takeFailure(responses));
        break;
      case METADATA: {
        const { updateId, body } = takeMetadata(responses);
        const response = Metadata.readResponse(new FlatMessage(body));
        this.#cluster.update(response, updateId);
        this.#collected(response);
        break;
      }
      case POLLED:
        this.#lastPolled = takePolled(responses);
        break;
      default:
        refuseFrame(responses, 'a link of responses');
    }
  }

  /** @param body null: there is no response, the request was sent */
  #succeed(requestId: number, body: OwnedBytes | null): void {
    const pending = this.#inFlight.take(requestId);
    // The application may have settled the Future or given the request up.
    if (pending === undefined || pending.future.isDone) {
      this.lateResponses++;
      return;
    }
    if (body === null) {
      succeed(pending.future, null);
      return;
    }
    let response: unknown;
    let hints: ClusterHints | null;
    try {
      const message = new FlatMessage(body);
      message.isRecyclable = body.isMoved;
      // Whoever iterates over responses reads them later than callbacks do.
      if (body.isMoved && this.#listeners.size === 0) message.loan = new RecordLoan(this);
      response = pending.api.readResponse(message);
      hints = clusterHintsOf(pending.api, response);
    } catch (error) {
      // The API belongs to the application, or its code cannot be loaded. Only this request fails.
      fail(pending.future, thrownError(error));
      return;
    }
    if (hints !== null) this.#cluster.learn(hints);
    this.#collected(response);
    succeed(pending.future, response);
  }

  #fail({ requestId, nodeId, error }: FailureFrame): void {
    const pending = this.#inFlight.take(requestId);
    if (pending === undefined) {
      this.lateResponses++;
      return;
    }
    fail(pending.future, withNodeId(fromPlainError(error), nodeId));
  }

  #collected(response: unknown): void {
    this.responses++;
    this.log.add(response);
    for (const listener of this.#listeners) listener(response);
  }
}
