// Owns the reading of request links: every frame an application thread posted becomes a call of the network client.
// Network thread. Requests are encoded straight out of the ring, so nothing read here outlives its frame.

import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import {
  CONNECT,
  DISCONNECT,
  POLL,
  SEND,
  SEND_API_KEY_WORD,
  SEND_PREFIX_BYTES,
  SEND_TIMEOUT_WORD,
  SEND_VERSION_WORD,
} from '../../ring/frames.ts';
import type { Connections } from '../client/connections.ts';
import type { NetworkClient } from '../client/network-client.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { Attachment, Attachments } from './attachments.ts';

/** So that one busy application can neither starve the others nor the sockets. */
const maxFramesPerTurn = 256;

export class RequestAdapter {
  readonly #attachments: Attachments;
  readonly #client: NetworkClient;
  readonly #connections: Connections;
  readonly #metrics: Metrics;

  constructor(attachments: Attachments, client: NetworkClient, connections: Connections, metrics: Metrics) {
    this.#attachments = attachments;
    this.#client = client;
    this.#connections = connections;
    this.#metrics = metrics;
  }

  /** Takes what the applications posted, a bounded number of frames each. Returns how many there were. */
  drain(now: number, turn: number): number {
    let count = 0;
    for (const attachment of this.#attachments.all) {
      const { requests } = attachment.end;
      let left = maxFramesPerTurn;
      while (left > 0 && requests.next()) {
        this.#handle(attachment, now, turn);
        requests.release();
        left--;
      }
      count += maxFramesPerTurn - left;
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
      case DISCONNECT:
        this.#connections.disconnect(requests.detail, now);
        break;
    }
  }

  #send(attachment: Attachment, now: number): void {
    const { requests } = attachment.end;
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
