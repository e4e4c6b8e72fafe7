// Owns a Producer whose network thread is the test: it reads the frames that the producer posts, and answers them or not. Test thread.

import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseProducerConfig } from '../../../../../src/common/config/producer-config.ts';
import type { ClientHost } from '../../../../../src/main/link/client-host.ts';
import { createProducerMemory } from '../../../../../src/main/producer/producer-memory.ts';
import { ProducerSession } from '../../../../../src/main/producer/producer-session.ts';
import type { ProducerOptions } from '../../../../../src/main/producer/producer-types.ts';
import { Producer } from '../../../../../src/main/producer.ts';
import { type NetworkEnd, openNetworkEnd } from '../../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../../src/ring/doorbell.ts';
import { type Frame, writeFrame } from '../../../../../src/ring/frames/frame.ts';
import { Lifeline } from '../../../../../src/ring/lifeline.ts';
import { createCounters } from '../../../../../src/state/counters.ts';
import { ProducerCountersWriter } from '../../../../../src/state/producer-counters.ts';

export interface PostedFrame {
  readonly kind: number;
  readonly requestId: number;
  readonly detail: number;
}

export class ProducerBench<K, V> {
  readonly producer: Producer<K, V>;
  session!: ProducerSession;
  readonly counters: ProducerCountersWriter;
  /** The limits of which the network thread was told beside the frames, in ms. */
  readonly limits: number[] = [];
  /** What the network thread does when it reads all that has come. */
  onCatchUp: () => void = () => {};
  /** How often the process is kept alive. */
  holds = 0;
  readonly #end: NetworkEnd;
  readonly #lifeline: Lifeline;

  constructor(options: ProducerOptions<K, V> = {}) {
    const { serializeKey: _key, serializeValue: _value, ...config } = options;
    const parsed = parseProducerConfig(config as object);
    const memory = createProducerMemory(parsed, createDoorbell(), createCounters());
    this.#end = openNetworkEnd(memory.network.link);
    this.counters = new ProducerCountersWriter(memory.network.counters);
    this.#lifeline = new Lifeline(memory.network.lifePort, { onCloseWithin: (ms) => this.limits.push(ms) });
    const host = {
      callbackThrew: (error: unknown) => assert.fail(String(error)),
      partitionCount: () => 1,
      learnTopic: async () => {},
      catchUp: async () => this.onCatchUp(),
      metricsOrigin: { clientId: 'test', metrics: false },
      hold: () => void this.holds++,
      release: () => void this.holds--,
      addRole: () => {},
      removeRole: () => {},
    } as Partial<ClientHost> as ClientHost;
    this.producer = new Producer<K, V>(
      options,
      host,
      null,
      () => assert.fail('no handle'),
      (listener) => {
        this.session = new ProducerSession(host, parsed, memory.application, listener);
        return this.session;
      },
    );
  }

  /** Takes the frames that were posted. */
  posted(): PostedFrame[] {
    const { requests } = this.#end;
    const frames: PostedFrame[] = [];
    while (requests.next()) {
      frames.push({ kind: requests.kind, requestId: requests.requestId, detail: requests.detail });
      requests.release();
    }
    return frames;
  }

  /** Takes the frames that were posted, and returns the newest of that kind. */
  postedOf(kind: number): PostedFrame {
    const frame = this.posted().findLast((each) => each.kind === kind);
    assert.ok(frame !== undefined, `a frame of kind ${kind} was posted`);
    return frame;
  }

  /** The same, as soon as there is one. */
  async untilPosted(kind: number): Promise<PostedFrame> {
    for (;;) {
      const frame = this.posted().findLast((each) => each.kind === kind);
      if (frame !== undefined) return frame;
      await nextTurn();
    }
  }

  /** Writes an answer, which the producer reads. */
  async answer(frame: Frame): Promise<void> {
    this.write(frame);
    this.producer.pollSync();
    await this.turns();
  }

  /** Writes a frame that the producer reads later. */
  write(frame: Frame): void {
    assert.ok(writeFrame(this.#end.responses, frame));
  }

  async turns(): Promise<void> {
    for (let i = 0; i < 10; i++) await nextTurn();
  }

  close(): void {
    this.#lifeline.close();
    this.#end.close();
  }
}
