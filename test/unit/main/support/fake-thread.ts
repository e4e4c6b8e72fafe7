// Owns the network thread's end of an attachment in tests of the application side: reads what was posted, writes what a
// network thread would. Test thread, both ends in one.

import type { KafkaClientError } from '../../../../src/common/errors/errors.ts';
import { toPlainError } from '../../../../src/common/errors/plain-error.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
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
  commitResponse,
  readConnect,
  readConnectLane,
  readDisconnect,
  readPoll,
  readSend,
  SEND_PREFIX_BYTES,
  type SendFrame,
  writeFailure,
  writeMetadata,
  writePolled,
  writeSent,
} from '../../../../src/ring/frames/client-frames.ts';
import { CONNECT, CONNECT_LANE, DISCONNECT, POLL, SEND } from '../../../../src/ring/frames/kinds.ts';
import type { LinkReader } from '../../../../src/ring/link.ts';
import { CountersWriter, createCounters } from '../../../../src/state/counters.ts';

/** A frame of the request link; requestId is that of the poll, and nodeId the broker of a lane. */
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
      posted.push(postedIn(requests));
      requests.release();
    }
    return posted;
  }

  respond<Request, Response, Data>(requestId: number, api: Api<Request, Response, Data>, response: Data): void {
    const { responses } = this.network;
    must(responses.begin(1024));
    api.writeResponse(this.#writer.reset(responses), response);
    must(commitResponse(responses, requestId, this.#writer.finish()));
    this.notify();
  }

  /** As for a Produce with acks 0. */
  sent(requestId: number): void {
    must(writeSent(this.network.responses, requestId));
    this.notify();
  }

  fail(requestId: number, nodeId: number, error: KafkaClientError | Error): void {
    must(writeFailure(this.network.responses, { requestId, nodeId, error: toPlainError(error) }));
    this.notify();
  }

  metadata(updateId: number, response: MetadataResponse): void {
    const memory = new HeapMemory();
    Metadata.writeResponse(this.#writer.reset(memory), response);
    const { i32, u8, base } = memory;
    const body = { i32, u8, base, byteLength: this.#writer.finish() };
    must(writeMetadata(this.network.responses, { updateId, body }));
    this.notify();
  }

  polled(pollId: number): void {
    must(writePolled(this.network.responses, pollId));
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
}

function postedIn(requests: LinkReader): Posted {
  const send: SendFrame = { requestId: 0, nodeId: 0, apiKey: -1, version: -1, timeoutMs: -1 };
  const { kind } = requests;
  if (kind === SEND) readSend(requests, send);
  else if (kind === POLL) send.requestId = readPoll(requests);
  else if (kind === CONNECT) send.nodeId = readConnect(requests);
  else if (kind === DISCONNECT) send.nodeId = readDisconnect(requests);
  else if (kind === CONNECT_LANE) send.nodeId = readConnectLane(requests).brokerId;
  return { ...send, kind, message: new FlatMessage(requests.own(), kind === SEND ? SEND_PREFIX_BYTES : 0) };
}

function must(isDone: boolean): void {
  if (!isDone) throw new Error('the response link is full');
}
