// Owns the network thread's end of an attachment in tests of the application side: reads what was posted, writes what a
// network thread would. Test thread, both ends in one.

import type { KafkaClientError } from '../../../../src/common/errors/errors.ts';
import { toPlainError } from '../../../../src/common/errors/plain-error.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse } from '../../../../src/protocol/flat/generated/metadata.ts';
import {
  type ApplicationEnd,
  type AttachmentOptions,
  createAttachment,
  type NetworkEnd,
  openNetworkEnd,
} from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import {
  FAILURE,
  METADATA,
  POLLED,
  RESPONSE,
  RESPONSE_API_KEY_WORD,
  RESPONSE_PREFIX_BYTES,
  SEND,
  SEND_API_KEY_WORD,
  SEND_PREFIX_BYTES,
  SEND_TIMEOUT_WORD,
  SEND_VERSION_WORD,
} from '../../../../src/ring/frames.ts';
import { CountersWriter, createCounters } from '../../../../src/state/counters.ts';

/** A frame of the request link. */
export interface Posted {
  readonly kind: number;
  readonly requestId: number;
  readonly nodeId: number;
  /** Of a SEND. */
  readonly apiKey: number;
  readonly version: number;
  readonly timeoutMs: number;
  /** Flat request, copied. */
  readonly message: FlatMessage;
}

const defaults: AttachmentOptions = {
  requestRingBytes: 64 * 1024,
  responseRingBytes: 64 * 1024,
  spillBytes: 16 * 1024,
  spillBudgetBytes: 1024 * 1024,
};

export class FakeThread {
  readonly application: ApplicationEnd;
  readonly network: NetworkEnd;
  readonly counters: CountersWriter;
  /** How often the application rang the network thread's bell. */
  rings = 0;
  readonly #writer = new FlatWriter();

  constructor(options: Partial<AttachmentOptions> = {}) {
    const counters = createCounters();
    this.counters = new CountersWriter(counters);
    const { application, handle } = createAttachment({ ...defaults, ...options }, createDoorbell(), counters);
    this.application = application;
    const bell = application.networkDoorbell;
    const notify = bell.notify.bind(bell);
    bell.notify = () => {
      this.rings++;
      notify();
    };
    this.network = openNetworkEnd(handle);
  }

  /** Takes everything posted so far. */
  take(limit = Number.POSITIVE_INFINITY): Posted[] {
    const { requests } = this.network;
    const posted: Posted[] = [];
    while (posted.length < limit && requests.next()) {
      const isSend = requests.kind === SEND;
      const body = requests.own();
      const word = body.base >>> 2;
      posted.push({
        kind: requests.kind,
        requestId: requests.requestId,
        nodeId: requests.detail,
        apiKey: isSend ? body.i32[word + SEND_API_KEY_WORD]! : -1,
        version: isSend ? body.i32[word + SEND_VERSION_WORD]! : -1,
        timeoutMs: isSend ? body.i32[word + SEND_TIMEOUT_WORD]! : -1,
        message: new FlatMessage(body, isSend ? SEND_PREFIX_BYTES : 0),
      });
      requests.release();
    }
    return posted;
  }

  respond<Request, Response, Data>(
    requestId: number,
    nodeId: number,
    api: Api<Request, Response, Data>,
    response: Data,
  ): void {
    this.#body(RESPONSE, requestId, nodeId, api.key, (writer) => api.writeResponse(writer, response));
  }

  /** As for a Produce with acks 0. */
  respondEmpty(requestId: number, nodeId: number): void {
    must(this.network.responses.commitEmpty(RESPONSE, requestId, nodeId));
    this.notify();
  }

  fail(requestId: number, nodeId: number, error: KafkaClientError | Error): void {
    const { responses } = this.network;
    const text = Buffer.from(JSON.stringify(toPlainError(error)), 'utf8');
    must(responses.begin(text.length));
    responses.u8.set(text, responses.base);
    must(responses.commit(FAILURE, requestId, nodeId, text.length));
    this.notify();
  }

  metadata(updateId: number, response: MetadataResponse): void {
    this.#body(METADATA, updateId, 1, Metadata.key, (writer) => Metadata.writeResponse(writer, response));
  }

  polled(pollId: number): void {
    must(this.network.responses.commitEmpty(POLLED, pollId, 0));
    this.notify();
  }

  /** Wakes the application, as at the end of a turn. */
  notify(): void {
    this.network.applicationDoorbell.notify();
  }

  close(): void {
    this.application.close();
    this.network.close();
  }

  #body(kind: number, requestId: number, nodeId: number, apiKey: number, write: (writer: FlatWriter) => void): void {
    const { responses } = this.network;
    must(responses.begin(1024));
    write(this.#writer.reset(responses, RESPONSE_PREFIX_BYTES));
    const usedBytes = this.#writer.finish();
    const word = responses.base >>> 2;
    responses.i32.fill(0, word, word + RESPONSE_PREFIX_BYTES / 4);
    responses.i32[word + RESPONSE_API_KEY_WORD] = apiKey;
    must(responses.commit(kind, requestId, nodeId, usedBytes));
    this.notify();
  }
}

function must(isDone: boolean): void {
  if (!isDone) throw new Error('the response link is full');
}
