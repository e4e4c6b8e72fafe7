// Owns who is attached to the network thread: one entry for each application thread. Network thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { type NetworkEnd, type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import type { MetadataUpdate } from '../client/metadata.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { CodecPool } from '../requests/codec-pool.ts';
import type { ResponseHost } from '../requests/request-owner.ts';
import { ResponseProxy } from './response-proxy.ts';

export interface Attachment {
  readonly end: NetworkEnd;
  readonly responses: ResponseProxy;
  /** Polls to answer once another round of reading is over. */
  fences: { readonly pollId: number; readonly turn: number }[];
  isClosed: boolean;
}

export class Attachments {
  readonly #config: KafkaClientConfig;
  readonly #pool: CodecPool;
  readonly #host: ResponseHost;
  readonly #metrics: Metrics;
  readonly #all: Attachment[] = [];
  /** Told to everybody who attaches later. */
  #newest: MetadataUpdate | null = null;

  constructor(config: KafkaClientConfig, pool: CodecPool, host: ResponseHost, metrics: Metrics) {
    this.#config = config;
    this.#pool = pool;
    this.#host = host;
    this.#metrics = metrics;
  }

  add(handle: NetworkHandle): Attachment {
    const end = openNetworkEnd(handle);
    const responses = new ResponseProxy(end, this.#config, this.#pool, this.#host, this.#metrics);
    const attachment: Attachment = { end, responses, fences: [], isClosed: false };
    if (this.#newest !== null) attachment.responses.onMetadata(this.#newest);
    this.#all.push(attachment);
    return attachment;
  }

  get all(): readonly Attachment[] {
    return this.#all;
  }

  onMetadata(update: MetadataUpdate): void {
    this.#newest = update;
    for (const { responses } of this.#all) responses.onMetadata(update);
  }

  /** Whether an application has posted something, or made room somebody waits for. */
  hasWork(): boolean {
    for (const { end, responses } of this.#all) {
      if (!end.requests.isEmpty()) return true;
      if (responses.isBehind && end.responses.isEmpty()) return true;
    }
    return false;
  }

  /** Delivers what waited for room. True when somebody who was behind no longer is. */
  flush(now: number): boolean {
    let hasRecovered = false;
    for (const { responses } of this.#all) {
      if (responses.isBehind && responses.flush(now)) hasRecovered = true;
      if (responses.takeUnblocked()) hasRecovered = true;
    }
    return hasRecovered;
  }

  /** Whether polls wait for their answer. */
  get hasPolls(): boolean {
    for (const { fences } of this.#all) if (fences.length > 0) return true;
    return false;
  }

  /** Answers polls posted before this turn: sockets have been read since. Returns how many wait on. */
  answerPolls(turn: number): number {
    let waiting = 0;
    for (const attachment of this.#all) {
      const { fences, responses } = attachment;
      if (fences.length === 0) continue;
      for (const fence of fences) if (fence.turn < turn) responses.onPolled(fence.pollId);
      attachment.fences = fences.filter((fence) => fence.turn >= turn);
      waiting += attachment.fences.length;
    }
    return waiting;
  }

  notify(): void {
    for (const { responses } of this.#all) responses.notify();
  }

  close(): void {
    for (const { end } of this.#all) end.close();
  }
}
