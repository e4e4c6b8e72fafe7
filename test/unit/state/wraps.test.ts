// Counters in shared memory across their wraps: each starts just before it. Test thread, both ends in one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerSnapshot } from '../../../src/common/consumer-calls.ts';
import { createDoorbell, Doorbell } from '../../../src/ring/doorbell.ts';
import { SEQ_WORD } from '../../../src/ring/layout.ts';
import {
  ConsumerSnapshotReader,
  ConsumerSnapshotWriter,
  createConsumerSnapshot,
  emptySnapshot,
} from '../../../src/state/consumer-snapshot.ts';
import { CountersReader, CountersWriter, createCounters, NO_ROW } from '../../../src/state/counters.ts';
import { NODE_VERSION_WORD, TURNS_WORD } from '../../../src/state/counters-layout.ts';
import { NodeErrorsReader, NodeErrorsWriter, nodeErrorsBytes } from '../../../src/state/node-errors.ts';

/** Where a signed and an unsigned reading of 32 bits pass their ends. */
const ends = [2 ** 31 - 2, -2, 2 ** 32 - 2];

for (const end of ends) {
  test(`turns of the network thread go on behind ${end}`, () => {
    const buffer = createCounters(4);
    new Int32Array(buffer)[TURNS_WORD] = end;
    const [writer, reader] = [new CountersWriter(buffer), new CountersReader(buffer)];
    const seen: number[] = [reader.turns()];
    for (let i = 0; i < 4; i++) {
      writer.heartbeat(1000 + i);
      seen.push(reader.turns());
    }
    assert.equal(new Set(seen).size, 5, 'each turn is another number: the thread is not taken for stuck');
    assert.ok(seen.every((turns) => turns >= 0));
  });

  test(`a reader of the node table sees every change behind version ${end}`, () => {
    const buffer = createCounters(8);
    new Int32Array(buffer)[NODE_VERSION_WORD] = end;
    const [writer, reader] = [new CountersWriter(buffer), new CountersReader(buffer)];
    assert.equal(reader.nodeRow(1), NO_ROW);
    for (let id = 1; id <= 4; id++) {
      writer.addNode(id);
      assert.notEqual(reader.nodeRow(id), NO_ROW, `node ${id}`);
    }
  });

  test(`errors of nodes are read behind sequence ${end}`, () => {
    const words = new Int32Array(new SharedArrayBuffer(nodeErrorsBytes(1)));
    // Even: nobody writes.
    words[0] = end;
    const [writer, reader] = [new NodeErrorsWriter(words), new NodeErrorsReader(words)];
    for (const text of ['one', 'two', 'three', 'four']) {
      writer.set(0, text);
      assert.equal(reader.get(0), text);
    }
  });

  test(`a consumer's state is read behind sequence ${end}`, () => {
    const buffer = createConsumerSnapshot();
    new Int32Array(buffer, 0, 1)[0] = end;
    const [writer, reader] = [new ConsumerSnapshotWriter(buffer), new ConsumerSnapshotReader(buffer)];
    for (const generation of [1, 2, 3, 4]) {
      writer.write({ ...emptySnapshot, generation } as ConsumerSnapshot);
      assert.equal((reader.read() as unknown as { generation: number }).generation, generation);
    }
  });

  test(`a doorbell wakes its owner behind number ${end}`, () => {
    const buffer = createDoorbell();
    new Int32Array(buffer)[SEQ_WORD] = end;
    const [owner, notifier] = [new Doorbell(buffer), new Doorbell(buffer)];
    const ring = (): boolean => {
      notifier.notify();
      return false;
    };
    // It finds no work and is notified before it sleeps: a sleep without an end would hang here.
    for (let i = 0; i < 4; i++) assert.equal(owner.sleepSync(ring, Number.POSITIVE_INFINITY), true);
  });
}
