// Owns one Produce request under way: its batches, and which part of the answer belongs to which batch. Network thread. Must not decide
// what happens to a batch: its listener does.

import { Produce } from '../../protocol/flat/generated/apis.ts';
import type {
  ProduceRequest as ProduceRequestInput,
  ProduceResponsePartitionProduceResponseView,
  ProduceResponseView,
} from '../../protocol/flat/generated/produce.ts';
import type { BrokerRequest, Destination } from '../client/broker-requests.ts';
import { encodeProduceBody, type ProduceBody } from './produce-body.ts';
import type { ProducerBatch } from './producer-batch.ts';

export type PartitionAnswer = ProduceResponsePartitionProduceResponseView;

export interface ProduceListener {
  /** The request is about to be sent. */
  onSending(request: ProduceRequest): void;
  /** Null: the answer does not have this partition, or, with acks 0, the socket has the batch. */
  onAnswer(batch: ProducerBatch, answer: PartitionAnswer | null, now: number): void;
  /** There will be no answer. */
  onNoAnswer(batch: ProducerBatch, error: Error, now: number): void;
  /** All batches of the request are handled. `latencyMs` is null when there was no answer. */
  onDone(request: ProduceRequest, throttleTimeMs: number, latencyMs: number | null, now: number): void;
  /** The memory of the batches may be written again. */
  onMemoryFree(request: ProduceRequest): void;
}

export class ProduceRequest implements BrokerRequest<ProduceRequestInput, ProduceResponseView> {
  readonly to: Destination;
  readonly api = Produce;
  readonly request: ProduceRequestInput;
  readonly timeoutMs: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly batches: readonly ProducerBatch[];
  readonly #body: ProduceBody;
  readonly #listener: ProduceListener;
  /** ms on the monotonic clock. */
  readonly sentAt: number;

  constructor(
    to: Destination,
    body: ProduceBody,
    limits: { readonly timeoutMs: number; readonly minVersion: number; readonly maxVersion: number },
    listener: ProduceListener,
    now: number,
  ) {
    this.to = to;
    this.#body = body;
    this.request = { acks: body.acks, timeoutMs: body.timeoutMs, topicData: [] };
    this.timeoutMs = limits.timeoutMs;
    this.minVersion = limits.minVersion;
    this.maxVersion = limits.maxVersion;
    this.batches = body.topics.flatMap(({ batches }) => batches);
    this.#listener = listener;
    this.sentAt = now;
  }

  readonly encodeBody = (version: number): readonly Uint8Array[] => encodeProduceBody(this.#body, version);

  onBodyFree(): void {
    this.#listener.onMemoryFree(this);
  }

  onResponse(response: ProduceResponseView | null, _version: number, now: number): void {
    const answers = new Map<ProducerBatch, PartitionAnswer>();
    if (response !== null) {
      for (const topic of response.responses) {
        const asked = this.#body.topics.find(({ name, topicId }) => name === topic.name || topicId === topic.topicId);
        if (asked === undefined) continue;
        for (const answer of topic.partitionResponses) {
          const batch = asked.batches.find(({ partition }) => partition.index === answer.index);
          if (batch !== undefined) answers.set(batch, answer);
        }
      }
    }
    for (const batch of this.batches) this.#listener.onAnswer(batch, answers.get(batch) ?? null, now);
    this.#listener.onDone(this, response?.throttleTimeMs ?? 0, now - this.sentAt, now);
  }

  onFailure(error: Error, now: number): void {
    for (const batch of this.batches) this.#listener.onNoAnswer(batch, error, now);
    this.#listener.onDone(this, 0, null, now);
  }
}
