// Owns the reading of request links: every frame that an application thread posted becomes a call of the network client.
// Network thread. Requests are encoded straight out of the ring, so nothing may keep a part of a frame.

import { RingCorruptError } from '../../common/errors/errors.ts';
import { isLaneName, laneNameRule, maxLaneNameLength } from '../../common/node-ids.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
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
import type { LinkReader } from '../../ring/link.ts';
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
  readonly #client: NetworkClient;
  readonly #connections: Connections;
  readonly #metrics: Metrics;
  /** The attachment that comes first in the next round. It changes when frames were left. */
  #first = 0;

  constructor(attachments: Attachments, client: NetworkClient, connections: Connections, metrics: Metrics) {
    this.#attachments = attachments;
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
      while (count < limit && !responses.isOverQuota && end.requests.next()) {
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
        attachment.fences.push({ pollId: requests.requestId, turn });
        break;
      case CONNECT:
        this.#client.connect(requests.detail, now);
        break;
      case CONNECT_LANE:
        this.#client.connectLane(requests.detail, laneIn(requests), now);
        break;
      case DISCONNECT:
        this.#connections.disconnect(requests.detail, now);
        break;
      default:
        throw new RingCorruptError(`a frame of kind ${requests.kind} is in a ring of requests`);
    }
  }

  #send(attachment: Attachment, now: number): void {
    const { requests } = attachment.end;
    if (requests.byteLength < SEND_PREFIX_BYTES) {
      throw new RingCorruptError(`a request of ${requests.byteLength} bytes, expected at least ${SEND_PREFIX_BYTES}`);
    }
    const word = requests.base >>> 2;
    this.#metrics.requestAccepted();
    this.#client.send(
      {
        owner: attachment.responses,
        requestId: requests.requestId,
        nodeId: requests.detail,
        apiKey: requests.i32[word + SEND_API_KEY_WORD]!,
        version: requests.i32[word + SEND_VERSION_WORD]!,
        timeoutMs: requests.i32[word + SEND_TIMEOUT_WORD]!,
        message: new FlatMessage(requests, SEND_PREFIX_BYTES),
      },
      now,
    );
  }
}

/** The lane's name in the frame. Throws RingCorruptError when it is not a valid name. */
function laneIn({ u8, base, byteLength }: LinkReader): string {
  const lane = Buffer.from(u8.buffer, u8.byteOffset + base, Math.min(byteLength, maxLaneNameLength + 1)).toString(
    'latin1',
  );
  if (!isLaneName(lane))
    throw new RingCorruptError(`a frame names lane ${JSON.stringify(lane)}, expected ${laneNameRule}`);
  return lane;
}
