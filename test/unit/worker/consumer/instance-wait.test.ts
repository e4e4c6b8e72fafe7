// A static member of a KIP-848 group whose instance id another member holds: for how long it asks again, and what it says.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GroupFatalError,
  KafkaConnectionError,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  DescribeConfigs,
  FindCoordinator,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, begin, coordinator, fatalOf, isOwned } from './support/member-bench.ts';

const marginMs = 5000;
const joining = (): ConsumerBench => begin({ groupProtocol: 'consumer', groupInstanceId: 'i' });

/** The coordinator says what the sessions of the group last. */
function told(bench: ConsumerBench, value: string | null): void {
  const [request] = bench.asked(DescribeConfigs);
  assert.deepEqual(request!.resources, [
    { resourceType: 32, resourceName: 'g', configurationKeys: ['consumer.session.timeout.ms'] },
  ]);
  const configs = [{ name: 'consumer.session.timeout.ms', value, readOnly: false, isSensitive: false }];
  const result = { errorCode: 0, errorMessage: null, resourceType: 32, resourceName: 'g', configs };
  bench.answer(DescribeConfigs, { results: [result] });
}

/** The join is refused until the member gives up. Returns for how long, in ms. */
function refusedFor(bench: ConsumerBench, between: (ms: number) => void = () => {}): number {
  const from = bench.now;
  for (let i = 0; i < 1000 && fatalOf(bench) === null; i++) {
    const [request] = bench.asked(ConsumerGroupHeartbeat);
    if (request !== undefined) {
      assert.equal(request.memberEpoch, 0);
      bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
      between(bench.now - from);
    }
    if (fatalOf(bench) === null) bench.advance(500);
  }
  return bench.now - from;
}

const lines = (bench: ConsumerBench): string[] => bench.log.filter((line) => line.includes('instance id'));

describe('a join that is answered with 111', () => {
  for (const sessionMs of [45_000, 60_000, 300_000])
    it(`is sent again for as long as sessions of the group last (${sessionMs} ms), and is then fatal`, () => {
      const bench = joining();
      let isTold = false;
      const lasted = refusedFor(bench, () => {
        if (!isTold) told(bench, String(sessionMs));
        isTold = true;
      });
      assert.ok(lasted >= sessionMs + marginMs && lasted < sessionMs + 3 * marginMs, `${lasted} ms`);
      const error = fatalOf(bench);
      assert.ok(error instanceof GroupFatalError);
      assert.match(
        error.message,
        new RegExp(`'i'.*consumer.session.timeout.ms is ${sessionMs}.*groupInstanceId of its own`),
      );
      assert.equal(lines(bench).filter((line) => line.startsWith('warn')).length, 1, 'said once');
      assert.match(lines(bench)[0]!, new RegExp(`asks again each second.*consumer.session.timeout.ms is ${sessionMs}`));
    });

  for (const [what, answer] of [
    [
      'may not be read',
      (bench: ConsumerBench) =>
        bench.answer(DescribeConfigs, {
          results: [{ errorCode: 30, errorMessage: 'no', resourceType: 32, resourceName: 'g', configs: [] }],
        }),
    ],
    [
      'is not known to the brokers',
      (bench: ConsumerBench) => bench.fail(DescribeConfigs, new UnsupportedVersionError('no')),
    ],
    ['has no value', (bench: ConsumerBench) => told(bench, null)],
    ['is without end', (bench: ConsumerBench) => told(bench, 'Infinity')],
    ['is larger than any that brokers take', (bench: ConsumerBench) => told(bench, '2147483648')],
    ['is not a number', (bench: ConsumerBench) => told(bench, '6e5')],
    ['is left out', (bench: ConsumerBench) => bench.answer(DescribeConfigs, { results: [] })],
  ] as const)
    it(`is sent again for the longest usual session when its length ${what}`, () => {
      const bench = joining();
      const lasted = refusedFor(bench, () => {
        if (bench.asked(DescribeConfigs).length > 0) answer(bench);
      });
      assert.ok(lasted >= 60_000 + marginMs && lasted < 60_000 + 3 * marginMs, `${lasted} ms`);
      assert.match(fatalOf(bench)!.message, /brokers did not say consumer.session.timeout.ms of the group/);
    });

  it('asks for the length again when that question had no answer', () => {
    const bench = joining();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
    bench.fail(DescribeConfigs, new KafkaConnectionError('reset'));
    bench.advance(1000);
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
    told(bench, '90000');
    assert.match(lines(bench)[0]!, /90000/);
  });

  it('counts from anew at a new coordinator, and at one that has loaded the group: sessions begin there', () => {
    const bench = joining();
    let hasMoved = false;
    let hasLoaded = false;
    const lasted = refusedFor(bench, (ms) => {
      if (bench.asked(DescribeConfigs).length > 0) told(bench, '45000');
      if (ms > 40_000 && !hasMoved) {
        hasMoved = true;
        bench.advance(1000);
        bench.answer(ConsumerGroupHeartbeat, { errorCode: 16 });
        bench.advance(200);
        const [other] = coordinator.coordinators;
        bench.answer(FindCoordinator, { coordinators: [{ ...other!, nodeId: 3 }] });
      } else if (ms > 80_000 && !hasLoaded) {
        hasLoaded = true;
        bench.advance(1000);
        bench.answer(ConsumerGroupHeartbeat, { errorCode: 14 });
      }
    });
    assert.ok(hasMoved && hasLoaded);
    assert.ok(lasted > 80_000 + 45_000, `${lasted} ms`);
  });

  it('succeeds as soon as the id is free, and the log says so', () => {
    const bench = joining();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
    told(bench, '60000');
    bench.advance(1000);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
    isOwned(bench, 2);
    assert.match(lines(bench).at(-1)!, /^info .*'i' was free after 1000 ms/);
  });
});
