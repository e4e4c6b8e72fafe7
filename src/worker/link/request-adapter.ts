// Owns the reading of request links: every frame that an application thread posted becomes a call of the network client.
// Network thread. Requests are encoded straight out of the ring, so nothing may keep a part of a frame.

import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import {
  readConnect,
  readConnectLane,
  readDisconnect,
  readPoll,
  readSend,
  SEND_PREFIX_BYTES,
  type SendFrame,
} from '../../ring/frames/client-frames.ts';
import { refuseFrame } from '../../ring/frames/frame.ts';
import { CONNECT, CONNECT_LANE, DISCONNECT, POLL, SEND } from '../../ring/frames/kinds.ts';
import type { ApplicationRequests } from '../client/application-requests.ts';
import type { Connections } from '../client/connections.ts';
import type { NetworkClient } from '../client/network-client.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { Attachment, Attachments } from './attachments.ts';

/** A limit, so that one busy application cannot delay the others and the sockets. */
const maxFramesPerTurn = 256;
/** How many frames are taken from one application before the next one. */
const maxFramesInARow = 16;

export class RequestAdapter {
  readonly #attachments: Attachments;
  readonly #requests: ApplicationRequests;
  readonly #client: NetworkClient;
  readonly #connections: Connections;
  readonly #metrics: Metrics;
  /** The request that is being read. One object is used for all requests. */
  readonly #frame: SendFrame = { requestId: 0, nodeId: 0, apiKey: 0, version: -1, timeoutMs: -1 };
  /** The attachment that comes first in the next round. It changes when frames were left. */
  #first = 0;

  constructor(
    attachments: Attachments,
    requests: ApplicationRequests,
    client: NetworkClient,
    connections: Connections,
    metrics: Metrics,
  ) {
    this.#attachments = attachments;
    this.#requests = requests;
    this.#client = client;
    this.#connections = connections;
    this.#metrics = metrics;
  }

  /** Handles the frames that the applications posted, by turns, with a limit for each. Returns how many there were. */
  drain(now: number, turn: number): number {
    const { all } = this.#attachments;
    const first = all.length === 0 ? 0 : this.#first % all.length;
    let waiting = [...all.slice(first), ...all.slice(0, first)];
    let count = 0;
    for (let taken = 0; taken < maxFramesPerTurn && waiting.length > 0; taken += maxFramesInARow) {
      const limit = waiting.length === 1 ? maxFramesPerTurn - taken : maxFramesInARow;
      const before = waiting;
      waiting = [];
      for (const attachment of before) {
        const frames = this.#take(attachment, limit, now, turn);
        count += frames;
        if (frames === limit) waiting.push(attachment);
      }
      if (before.length === 1) break;
    }
    if (waiting.length > 0) this.#first = first + 1;
    return count;
  }

  #take(attachment: Attachment, limit: number, now: number, turn: number): number {
    const { responses, end } = attachment;
    let count = 0;
    try {
      // When the responses of an attachment fill the memory that it may use here, its requests wait until it reads.
      while (count < limit && !responses.isClosed && !responses.isOverQuota && end.requests.next()) {
        this.#handle(attachment, now, turn);
        end.requests.release();
        count++;
      }
    } catch (error) {
      this.#attachments.broken(attachment, error);
    }
    return count;
  }

  #handle(attachment: Attachment, now: number, turn: number): void {
    const { requests } = attachment.end;
    switch (requests.kind) {
      case SEND:
        this.#send(attachment, now);
        break;
      case POLL:
        attachment.fences.push({ pollId: readPoll(requests), turn });
        break;
      case CONNECT:
        this.#client.connect(readConnect(requests), attachment.scope, now);
        break;
      case CONNECT_LANE: {
        const { brokerId, lane } = readConnectLane(requests);
        this.#client.connectLane(brokerId, lane, attachment.scope, now);
        break;
      }
      case DISCONNECT:
        this.#connections.disconnect(readDisconnect(requests), now, attachment.scope);
        break;
      default:
        refuseFrame(requests, 'a link of requests');
    }
  }

  #send(attachment: Attachment, now: number): void {
    const { requests } = attachment.end;
    const frame = this.#frame;
    readSend(requests, frame);
    this.#metrics.requestAccepted();
    this.#requests.send(
      {
        owner: attachment.responses,
        requestId: frame.requestId,
        nodeId: frame.nodeId,
        scope: attachment.scope,
        apiKey: frame.apiKey,
        version: frame.version,
        timeoutMs: frame.timeoutMs,
        message: new FlatMessage(requests, SEND_PREFIX_BYTES),
      },
      now,
    );
  }
}
