// Owns the writing of the request link: sends, polls, connects, disconnects. Application thread. If a frame has no room, the call
// fails at once. Only the closing of a node waits here, because it must not be lost.

import { RingFullError } from '../../common/errors/errors.ts';
import { defer } from '../../common/microtask.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import {
  commitSend,
  SEND_PREFIX_BYTES,
  type SendFrame,
  writeConnect,
  writeConnectLane,
  writeDisconnect,
  writePoll,
} from '../../ring/frames/client-frames.ts';

/** Most requests fit into this size. Larger ones grow. */
const minExpectedBytes = 512;
/** Requests of one API often have the same size. To claim that size at once avoids moves of a large request. */
const expectedMargin = 1.0625;

export class NetworkProxy {
  readonly #end: ApplicationEnd;
  readonly #writer = new FlatWriter();
  /** The request that is being sent. One object is used for all. */
  readonly #send: SendFrame = { requestId: 0, nodeId: 0, apiKey: 0, version: -1, timeoutMs: -1 };
  /** The size of the last request of each API, by API key. */
  readonly #lastBytes = new Map<number, number>();
  #isNotifyDue = false;
  /** Nodes whose DISCONNECT waits for room. */
  #pendingDisconnects: number[] = [];
  /**
   * Nodes that this thread has closed, oldest first. The value is the position of the request link after which the network thread
   * knows it. Positions wrap around. Each is removed before the link can reach it again, at the latest when the next frame is posted.
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
   * Throws InvalidRequestError when `request` cannot be written. Nothing is posted then.
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
    try {
      const writer = this.#writer.reset(requests, SEND_PREFIX_BYTES);
      api.writeRequest(writer, request);
      const usedBytes = writer.finish();
      this.#lastBytes.set(api.key, usedBytes);
      const frame = this.#send;
      frame.requestId = requestId;
      frame.nodeId = nodeId;
      frame.apiKey = api.key;
      frame.version = version;
      frame.timeoutMs = timeoutMs;
      if (commitSend(requests, frame, usedBytes)) {
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

  /** Posts a fence. Returns false when there is no room. */
  poll(pollId: number): boolean {
    this.#forgetDisconnects();
    return this.#posted(writePoll(this.#end.requests, pollId));
  }

  /** Asks for a connection. Returns false when there is no room. */
  connect(nodeId: number): boolean {
    return this.#flushDisconnects() && this.#posted(writeConnect(this.#end.requests, nodeId));
  }

  /** Asks for a connection to a broker in a lane. Returns false when there is no room. */
  connectLane(brokerId: number, lane: string): boolean {
    return this.#flushDisconnects() && this.#posted(writeConnectLane(this.#end.requests, { brokerId, lane }));
  }

  /** Closes a node's connection, as soon as the link has room for the frame. */
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

  /** Rings the doorbell now, not at the end of this turn. Called before this thread blocks. */
  flush(): void {
    this.#flushDisconnects();
    if (!this.#isNotifyDue) return;
    this.#isNotifyDue = false;
    this.#end.networkDoorbell.notify();
  }

  #expectedBytes(apiKey: number): number {
    const expected = Math.ceil((this.#lastBytes.get(apiKey) ?? 0) * expectedMargin);
    const { requests } = this.#end;
    // The expected size is only a guess. It must not make a small request fail for want of room.
    return expected > minExpectedBytes && requests.hasRoom(expected) ? expected : minExpectedBytes;
  }

  /** Removes the entries whose frames the network thread has taken. Frames are taken in order. */
  #forgetDisconnects(): void {
    if (this.#disconnects.size === 0) return;
    const { releasedPosition } = this.#end.requests;
    for (const [nodeId, position] of this.#disconnects) {
      // The two positions are less than one ring apart.
      if (((releasedPosition - position) | 0) < 0) return;
      this.#disconnects.delete(nodeId);
    }
  }

  #posted(isWritten: boolean): boolean {
    if (isWritten) this.#notifySoon();
    return isWritten;
  }

  /** Returns true when none is left. */
  #flushDisconnects(): boolean {
    this.#forgetDisconnects();
    while (this.#pendingDisconnects.length > 0) {
      const nodeId = this.#pendingDisconnects[0]!;
      if (!this.#posted(writeDisconnect(this.#end.requests, nodeId))) return false;
      this.#pendingDisconnects.shift();
      // The node goes behind the others, even if it was closed before.
      this.#disconnects.delete(nodeId);
      this.#disconnects.set(nodeId, this.#end.requests.position);
    }
    return true;
  }

  /** Calls notify once for all frames that are posted in one turn of the application. */
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
