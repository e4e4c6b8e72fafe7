// The memory of the answer to a fetch serves the next answer when the round ends: records that were not handed out are copied before.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { Heartbeat } from '../../../../src/protocol/flat/generated/apis.ts';
import { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { answerWith, partitionOf, reading } from './support/reading-bench.ts';

before(prepareCodecs);

describe('The memory of an answer', () => {
  const records = Buffer.concat(
    [10n, 12n].map((baseOffset) =>
      buildBatch({ baseOffset, records: [{ value: `value ${baseOffset}` }, { value: 'second' }] }),
    ),
  );
  const valuesOf = (bench: ConsumerBench): (string | undefined)[] =>
    bench.application.handed.flatMap(({ batch: { buffer, usedBytes } }) => {
      const bytes = { i32: new Int32Array(buffer), u8: new Uint8Array(buffer), base: 0, byteLength: usedBytes };
      return [...new RecordsView(new FlatMessage(bytes, 64), 0)].map(({ value }) => value?.toString());
    });
  const all = ['value 10', 'second', 'value 12', 'second'];

  it('is given back in the round in which its records were handed out', () => {
    const bench = reading();
    answerWith(bench, { records });
    assert.equal(bench.released, 1);
    assert.deepEqual(valuesOf(bench), all);
  });

  it('is given back at once, too, if there is no room: the records are copied, and handed out later', () => {
    const bench = reading();
    bench.application.roomBytes = 0;
    answerWith(bench, { records });
    assert.equal(bench.released, 1);
    assert.equal(partitionOf(bench, 0).bufferedBytes, records.byteLength);
    bench.application.roomBytes = Number.POSITIVE_INFINITY;
    bench.turn();
    assert.deepEqual(valuesOf(bench), all);
  });

  it('is given back while records are decoded in the pool, which may fail', () => {
    const bench = reading();
    bench.decoder.thresholdBytes = 0;
    const packed = buildBatch({
      baseOffset: 10n,
      compression: 'gzip',
      records: [{ value: 'value 10' }, { value: 'second' }],
    });
    answerWith(bench, { records: Buffer.concat([packed, records.subarray(records.byteLength / 2)]) });
    assert.equal(bench.released, 1);
    assert.equal(bench.application.handed.length, 0);
    bench.decoder.waiting.shift()!.done(new Error('no thread'));
    bench.turn();
    assert.deepEqual(valuesOf(bench), all);
  });

  for (const when of ['before', 'after'])
    it(`is given back when it comes just ${when} the consumer is closed`, () => {
      const bench = reading();
      const close = (): void => bench.role.close(1000, 'default', bench.now, () => {});
      // An application uses the lane, too, so the connection does not end with the consumer.
      bench.waiting.push({ ...bench.waiting[0]!, api: Heartbeat });
      if (when === 'after') close();
      // The calls of the application are read in the same round, before anything is decoded.
      else bench.turn = () => bench;
      answerWith(bench, { records });
      if (when === 'before') close();
      assert.ok(bench.role.isClosed);
      assert.equal(bench.released, 1);
      assert.deepEqual(valuesOf(bench), []);
    });

  it('does not wait for the next fetch, which is sent before the records are decoded', () => {
    const bench = reading();
    const order: string[] = [];
    const { send } = bench.requests;
    bench.requests.send = (request, now) => {
      order.push(request.api.name);
      send(request, now);
    };
    const hand = bench.application.hand.bind(bench.application);
    bench.application.hand = (batch) => {
      order.push('hand');
      return hand(batch);
    };
    answerWith(bench, { records });
    assert.deepEqual(order.slice(0, 2), ['Fetch', 'hand']);
  });
});
