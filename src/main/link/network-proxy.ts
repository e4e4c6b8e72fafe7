// Owns the writing of the request link: sends, polls, connects, disconnects. Application thread. What cannot be written
// now is refused at once; nothing waits here but the closing of nodes, which must not be lost.

import { RingFullError } from '../../common/errors/errors.ts';
import { defer } from '../../common/microtask.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import {
  CONNECT,
  CONNECT_LANE,
  DISCONNECT,
  POLL,
  SEND,
  SEND_API_KEY_WORD,
  SEND_PREFIX_BYTES,
  SEND_TIMEOUT_WORD,
  SEND_VERSION_WORD,
} from '../../ring/frames.ts';

/** Most requests fit; those that do not grow in place. */
const minExpectedBytes = 512;
/** Requests of one API tend to be of one size: claiming that much at once spares a large one its moves. */
const expectedMargin = 1.0625;

export class NetworkProxy {
  readonly #end: ApplicationEnd;
  readonly #writer = new FlatWriter();
  /** API key to the size of its last request. */
  readonly #lastBytes = new Map<number, number>();
  #isNotifyDue = false;
  /** Nodes whose DISCONNECT found no room yet. */
  #pendingDisconnects: number[] = [];
  /**
   * Nodes closed by this thread, and the request link position after which the network thread knows; oldest first. Positions
   * wrap, so each is forgotten before the link can come round to it: at the latest when the next frame is posted.
   */
  readonly #disconnects = new Map<number, number>();
  readonly #notify = (): void => {
    if (this.#isNotifyDue) this.flush();
  };

  constructor(end: ApplicationEnd) {
    this.#end = end;
  }

  /**
   * Posts one request. Returns RingFullError when there is no room.
   * Throws InvalidRequestError when `request` cannot be written; nothing is posted then.
   */
  send<Request>(
    requestId: number,
    nodeId: number,
    api: Api<Request>,
    request: Request,
    version: number,
    timeoutMs: number,
  ): RingFullError | null {
    const { requests } = this.#end;
    if (!this.#flushDisconnects() || !requests.begin(this.#expectedBytes(api.key))) return this.#full(nodeId);
    this.#forgetDisconnects();
    try {
      const writer = this.#writer.reset(requests, SEND_PREFIX_BYTES);
      api.writeRequest(writer, request);
      const usedBytes = writer.finish();
      this.#lastBytes.set(api.key, usedBytes);
      const word = requests.base >>> 2;
      const { i32 } = requests;
      i32[word + SEND_API_KEY_WORD] = api.key;
      i32[word + SEND_VERSION_WORD] = version;
      i32[word + SEND_TIMEOUT_WORD] = timeoutMs;
      if (requests.commit(SEND, requestId, nodeId, usedBytes)) {
        this.#notifySoon();
        return null;
      }
    } catch (error) {
      requests.abandon();
      throw error;
    }
    requests.abandon();
    return this.#full(nodeId);
  }

  /** Posts a fence; false when there is no room. */
  poll(pollId: number): boolean {
    return this.#post(POLL, pollId, 0);
  }

  /** Asks for a connection; false when there is no room. */
  connect(nodeId: number): boolean {
    return this.#flushDisconnects() && this.#post(CONNECT, 0, nodeId);
  }

  /** Asks for a connection to a broker in a lane; false when there is no room. */
  connectLane(brokerId: number, lane: string): boolean {
    const { requests } = this.#end;
    if (!this.#flushDisconnects() || !requests.begin(lane.length)) return false;
    for (let i = 0; i < lane.length; i++) requests.u8[requests.base + i] = lane.charCodeAt(i);
    if (requests.commit(CONNECT_LANE, 0, brokerId, lane.length)) {
      this.#notifySoon();
      return true;
    }
    requests.abandon();
    return false;
  }

  /** Closes a node's connection, now or as soon as there is room to say so. */
  disconnect(nodeId: number): void {
    this.#pendingDisconnects.push(nodeId);
    this.#flushDisconnects();
  }

  /** Whether this thread has closed the node and the network thread may not have noticed yet. */
  isDisconnecting(nodeId: number): boolean {
    this.#forgetDisconnects();
    if (this.#disconnects.has(nodeId)) return true;
    return this.#pendingDisconnects.length > 0 && this.#pendingDisconnects.includes(nodeId);
  }

  /** Rings the bell now rather than at the end of this turn; before this thread blocks. */
  flush(): void {
    this.#flushDisconnects();
    if (!this.#isNotifyDue) return;
    this.#isNotifyDue = false;
    this.#end.networkDoorbell.notify();
  }

  #expectedBytes(apiKey: number): number {
    const expected = Math.ceil((this.#lastBytes.get(apiKey) ?? 0) * expectedMargin);
    const { requests } = this.#end;
    // A guess must not be what makes a small request find no room.
    return expected > minExpectedBytes && requests.hasRoom(expected) ? expected : minExpectedBytes;
  }

  /** Those that the network thread has taken: all but the newest ones, since frames are taken in order. */
  #forgetDisconnects(): void {
    if (this.#disconnects.size === 0) return;
    const { releasedPosition } = this.#end.requests;
    for (const [nodeId, position] of this.#disconnects) {
      // Both lie within one ring of each other.
      if (((releasedPosition - position) | 0) < 0) return;
      this.#disconnects.delete(nodeId);
    }
  }

  #post(kind: number, requestId: number, detail: number): boolean {
    this.#forgetDisconnects();
    if (!this.#end.requests.commitEmpty(kind, requestId, detail)) return false;
    this.#notifySoon();
    return true;
  }

  /** True when none is left. */
  #flushDisconnects(): boolean {
    while (this.#pendingDisconnects.length > 0) {
      const nodeId = this.#pendingDisconnects[0]!;
      if (!this.#post(DISCONNECT, 0, nodeId)) return false;
      this.#pendingDisconnects.shift();
      // Behind the others, also if the node was closed before.
      this.#disconnects.delete(nodeId);
      this.#disconnects.set(nodeId, this.#end.requests.position);
    }
    return true;
  }

  /** One notify for all that is posted in one turn of the application. */
  #notifySoon(): void {
    if (this.#isNotifyDue) return;
    this.#isNotifyDue = true;
    defer(this.#notify);
  }

  #full(nodeId: number): RingFullError {
    return new RingFullError(
      'the request link is full: the network thread is behind; send again after a response, or raise requestRingBytes',
      { nodeId },
    );
  }
}
