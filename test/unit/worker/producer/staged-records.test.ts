// Records that wait for metadata or for memory: their order, and what a turn costs while tens of thousands wait.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyMemory } from '../../../../src/common/copy-bytes.ts';
import { TrackKind } from '../../../../src/common/record-tracking.ts';
import { BatchMemory } from '../../../../src/worker/producer/batch-memory.ts';
import type { RecordOwner } from '../../../../src/worker/producer/record-owner.ts';
import { Staging, type UnplacedRecord } from '../../../../src/worker/producer/staging.ts';
import type { TopicState } from '../../../../src/worker/producer/topic-state.ts';

const maxBlockMs = 1000;

/** A topic that counts how often a record has looked at it. */
class Topic {
  readonly name: string;
  count = 0;
  looks = 0;

  constructor(name: string) {
    this.name = name;
  }

  get partitionCount(): number {
    this.looks++;
    return this.count;
  }
}

class Bench {
  readonly memory = new BatchMemory(2 ** 30, 16_384);
  readonly cluster = { updateId: 1, requestUpdate: (): void => {}, topicError: (): null => null };
  readonly failed: string[] = [];
  readonly placed: number[] = [];
  /** How many more records find memory. */
  room = 0;
  places = 0;
  readonly staging: Staging;
  readonly owner = { onBatchSettled: (): void => {} } as unknown as RecordOwner;

  constructor() {
    const host = { cluster: this.cluster, requests: { lastError: (): null => null } };
    this.staging = new Staging(host as never, this.memory, maxBlockMs, (topic) => this.failed.push(topic));
  }

  add(topic: Topic, partition: number, timestampMs: number, now = 0): void {
    const bytes = Buffer.alloc(20);
    const record: UnplacedRecord = {
      owner: this.owner,
      topic: topic as unknown as TopicState,
      kind: TrackKind.NONE,
      trackId: 0,
      timestampMs,
      lingerMs: -1,
      memory: new CopyMemory(bytes),
      from: 0,
      to: 20,
      waitsSince: now,
      partition,
      keyFrom: -1,
      keyTo: 0,
    };
    assert.ok(this.staging.add(record, now));
  }

  poll(now: number): void {
    this.staging.poll((record) => {
      this.places++;
      if (this.room === 0) return false;
      this.room--;
      this.placed.push(record.timestampMs);
      return true;
    }, now);
  }
}

test('a turn without memory looks at one record, however many wait', () => {
  const bench = new Bench();
  const topic = new Topic('many');
  for (let i = 0; i < 20_000; i++) bench.add(topic, i % 100, i);
  topic.count = 100;
  bench.cluster.updateId++;
  bench.poll(1);
  const usedBytes = bench.memory.usedBytes;
  [topic.looks, bench.places] = [0, 0];
  for (let turn = 0; turn < 100; turn++) bench.poll(2);
  assert.deepEqual([topic.looks, bench.places], [0, 100]);
  assert.equal(bench.memory.usedBytes, usedBytes);
  bench.room = 19_999;
  bench.poll(3);
  assert.equal(bench.staging.isShort, true);
  bench.room = 1;
  bench.poll(4);
  assert.deepEqual([bench.staging.isEmpty, bench.memory.usedBytes], [true, 0]);
  assert.deepEqual(
    bench.placed,
    Array.from({ length: 20_000 }, (_, i) => i),
  );
});

test('records that wait for memory have no time limit of metadata, so nobody wakes for them', () => {
  const bench = new Bench();
  const topic = new Topic('known');
  bench.add(topic, 0, 1);
  assert.equal(bench.staging.nextDeadline, maxBlockMs);
  topic.count = 1;
  bench.cluster.updateId++;
  bench.poll(5);
  assert.equal(bench.staging.nextDeadline, Number.POSITIVE_INFINITY);
  bench.poll(maxBlockMs + 5);
  assert.deepEqual([bench.failed, bench.staging.isShort], [[], true]);
});

test('a record that comes after its metadata, and before the waiting ones were looked at, goes behind them', () => {
  const bench = new Bench();
  const topic = new Topic('late');
  bench.add(topic, -1, 1);
  bench.poll(1);
  topic.count = 3;
  bench.cluster.updateId++;
  bench.add(topic, 2, 2);
  bench.room = 9;
  bench.poll(2);
  assert.deepEqual([bench.placed, bench.staging.isEmpty], [[1, 2], true]);
});

test('a topic that is gone again waits for metadata once more, in order, and then fails alone', () => {
  const bench = new Bench();
  const [gone, other] = [new Topic('gone'), new Topic('other')];
  bench.add(gone, 0, 1);
  bench.add(other, 0, 2);
  [gone.count, other.count] = [1, 1];
  bench.cluster.updateId++;
  bench.poll(1);
  gone.count = 0;
  bench.cluster.updateId++;
  bench.poll(2);
  assert.ok(!bench.staging.isShortFor({} as RecordOwner) && bench.staging.isShortFor(bench.owner));
  assert.equal(bench.staging.nextDeadline, maxBlockMs);
  bench.room = 9;
  bench.poll(maxBlockMs + 1);
  assert.deepEqual([bench.placed, bench.failed, bench.staging.isEmpty], [[2], ['gone'], true]);
  assert.equal(bench.memory.usedBytes, 0);
});

test('when all fail, every count and all memory is given back', () => {
  const bench = new Bench();
  const topic = new Topic('failing');
  for (let i = 0; i < 10; i++) bench.add(topic, i % 3, i);
  topic.count = 3;
  bench.cluster.updateId++;
  bench.room = 4;
  bench.poll(1);
  bench.staging.failAll(() => new Error('closed'), 2);
  assert.deepEqual([bench.staging.isEmpty, bench.memory.usedBytes], [true, 0]);
  assert.equal(bench.staging.isWaiting(topic as unknown as TopicState), false);
});
