// A producer with so little memory that its thread waits for room all the time, in every way in which it can wait, with random pauses
// before the atomic operations of both threads: no wake-up is lost, and no record.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaClient, type Producer } from '../../src/index.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { readValues } from '../helpers/read-log.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { installJitter } from './jitter.ts';

/** Only a bound: a lost wake-up is an error then, and not a hang. */
const maxWaitMs = 60_000;
const recordsOfRound = 2000;
const partitions = 3;
const workerUrl = new URL('./jittery-worker.js', import.meta.url).href;

test('a thread that waits for room in any way is always woken', { timeout: 4 * hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const broker = await startEmbeddedBroker();
  const client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers, workerUrl });
  const removeJitter = installJitter(seed);
  try {
    const rounds = await repeat(0.15, async (index) => {
      const topic = `round-${index}`;
      await broker.createTopic(topic, { partitions });
      const producer = await client.producer({
        bufferMemoryBytes: 2 ** (16 + random.below(3)),
        batchSizeBytes: random.below(2) * 2000,
        lingerMs: random.below(3),
        maxBlockMs: maxWaitMs,
      });
      await new Writer(producer, topic, random).run();
      await producer.close();
      const read = await Promise.all(Array.from({ length: partitions }, (_, each) => readValues(client, topic, each)));
      for (const values of read) {
        const numbers = values.map((value) => Number.parseInt(value!, 10));
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
      }
      assert.equal(read.flat().length, recordsOfRound);
    });
    t.diagnostic(`${rounds} rounds`);
  } finally {
    removeJitter();
    await client.close();
    await broker.close();
  }
});

class Writer {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #random: Random;
  readonly #open: PromiseLike<unknown>[] = [];
  #written = 0;

  constructor(producer: Producer, topic: string, random: Random) {
    this.#producer = producer;
    this.#topic = topic;
    this.#random = random;
  }

  async run(): Promise<void> {
    const producer = this.#producer;
    while (this.#written < recordsOfRound) {
      const count = Math.min(1 + this.#random.below(200), recordsOfRound - this.#written);
      const way = this.#random.below(6);
      if (way <= 1) this.#appendAndBlock(count);
      else if (way === 2) await this.#appendAndWait(count);
      else if (way === 3) this.#sendAndBlock(count);
      else if (way === 4) await this.#sendAndWait(count);
      else this.#open.push(producer.flush(maxWaitMs));
      if (this.#random.isOneIn(8)) producer.pollSync(this.#random.below(2));
      if (this.#random.isOneIn(8)) producer.flushSync(maxWaitMs);
      if (this.#random.isOneIn(4)) await Promise.all(this.#open.splice(0));
    }
    await producer.flush(maxWaitMs);
    await Promise.all(this.#open);
  }

  #appendAndBlock(count: number): void {
    for (let i = 0; i < count; i++) {
      const [value, partition] = this.#next();
      while (!this.#producer.append(this.#topic, null, value, partition)) this.#block(value);
    }
  }

  async #appendAndWait(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const [value, partition] = this.#next();
      while (!this.#producer.append(this.#topic, null, value, partition)) await this.#producer.ready(value.length);
    }
  }

  /** There is always room for the record when `ready` or `waitSync` has said so. */
  #sendAndBlock(count: number): void {
    for (let i = 0; i < count; i++) {
      const [value, partition] = this.#next();
      this.#block(value);
      this.#open.push(this.#producer.send(this.#topic, { value, partition }));
    }
  }

  async #sendAndWait(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const [value, partition] = this.#next();
      await this.#producer.ready(value.length);
      this.#open.push(this.#producer.send(this.#topic, { value, partition }));
    }
  }

  #block({ length }: string): void {
    assert.ok(this.#producer.waitSync(length, maxWaitMs), 'no wake-up although there is room');
  }

  #next(): [value: string, partition: number] {
    const value = `${this.#written++} ${'x'.repeat(this.#random.below(300))}`;
    return [value, this.#random.below(partitions)];
  }
}
