// An application that asks for nothing for maxPollIntervalMs, with the embedded broker, in both protocols.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '../helpers/wait-for.ts';
import { GroupBench, protocols, valuesOf } from './support/group-bench.ts';

const bench = new GroupBench();

for (const [groupProtocol, protocol] of protocols) {
  describe(`an application that does not poll for maxPollIntervalMs, protocol ${groupProtocol}`, () => {
    for (const whenBlocked of ['keep', 'pause', 'leave'] as const)
      it(`with whenBlocked ${whenBlocked}`, async () => {
        await bench.begin({ topics: { t: 1 } });
        await bench.broker.append('t', 0, [{ value: 'a' }]);
        const consumer = await bench.start({ ...protocol, whenBlocked, maxPollIntervalMs: 1500, batchMaxBytes: 1 });
        const blocked: { policy: string }[] = [];
        consumer.on('blocked', (event) => blocked.push(event));
        const first = (await consumer.poll(120_000))!;
        const { epoch } = consumer.group;
        await waitFor('the event', () => blocked.length === 1);
        assert.equal(blocked[0]!.policy, whenBlocked);
        if (whenBlocked === 'leave') {
          await waitFor(
            'the group without it',
            async () => (await bench.broker.describeGroup('g'))!.members.length === 0,
          );
          assert.equal(first.lost, true);
          const again = (await consumer.poll(120_000))!;
          assert.deepEqual(valuesOf(again), ['a'], 'it joins again and the record comes again');
          again.done();
          return;
        }
        assert.equal(first.lost, false);
        assert.equal(first.done(), 'ok');
        await bench.broker.append('t', 0, [{ value: 'b' }]);
        const next = (await consumer.poll(120_000))!;
        assert.deepEqual(valuesOf(next), ['b']);
        assert.equal(consumer.group.epoch, epoch, 'it has stayed the same member');
      });
  });
}
