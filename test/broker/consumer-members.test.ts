// Memberships with the embedded broker, in both protocols: static members, members that are expelled, groups of both protocols at once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsumerGroupHeartbeat, Heartbeat, JoinGroup, LeaveGroup, type Logger } from '../../src/index.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { GroupBench, own, protocols, valuesOf } from './support/group-bench.ts';

const bench = new GroupBench();
/** A logger, and the messages that it gets. */
function logged(): { readonly lines: readonly string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => void lines.push(message);
  return { lines, logger: { debug: note, info: note, warn: note, error: note } };
}
const epochOf = async (): Promise<number> => (await bench.broker.describeGroup('g'))!.epoch;

for (const [groupProtocol, protocol] of protocols) {
  describe(`a static member (KIP-345), protocol ${groupProtocol}`, () => {
    it('gets its partitions again after a restart, without a rebalance', async () => {
      await bench.begin();
      const [one, two] = [
        await bench.start({ ...protocol, groupInstanceId: 'one' }),
        await bench.start({ ...protocol, groupInstanceId: 'two' }),
      ];
      await waitFor('two each', () => own(one).length === 2 && own(two).length === 2);
      await waitFor('a stable group', () => one.group.state === 'STABLE' && two.group.state === 'STABLE');
      const before = own(one);
      const revoked: unknown[] = [];
      two.on('revoked', (partitions) => revoked.push(partitions));
      two.on('lost', (partitions) => revoked.push(partitions));
      const epoch = await epochOf();
      await one.close();
      const again = await bench.start({ ...protocol, groupInstanceId: 'one' });
      await waitFor('its partitions', () => own(again).length === 2);
      assert.deepEqual(own(again), before);
      assert.equal(await epochOf(), epoch, 'no rebalance');
      assert.deepEqual(revoked, []);
      assert.equal((await bench.broker.stats()).requests[LeaveGroup.key] ?? 0, 0);
    });

    it('gives up its place when close is called with leave', async () => {
      await bench.begin();
      const one = await bench.start({ ...protocol, groupInstanceId: 'one' });
      const two = await bench.start({ ...protocol, groupInstanceId: 'two' });
      await waitFor('two each', () => own(one).length === 2 && own(two).length === 2);
      await one.close({ leave: 'leave' });
      await waitFor('the other has all', () => own(two).length === 4);
    });
  });

  describe(`a member that its group expels, protocol ${groupProtocol}`, () => {
    it('loses its partitions, joins again, and reads on from the committed offsets', async () => {
      await bench.begin({ topics: { t: 1 } });
      await bench.broker.append('t', 0, [{ value: 'a' }]);
      const { lines, logger } = logged();
      const consumer = await bench.start({ ...protocol, batchMaxBytes: 1, logger });
      const first = (await consumer.poll(120_000))!;
      first.done();
      await consumer.commit();
      await bench.broker.append('t', 0, [{ value: 'b' }]);
      const second = (await consumer.poll(120_000))!;
      assert.deepEqual(valuesOf(second), ['b']);
      const lost: unknown[] = [];
      consumer.on('lost', (partitions) => lost.push(...partitions));
      const { memberId } = consumer.group;
      assert.ok(await bench.broker.expelMember('g', memberId));
      await waitFor('the loss', () => lost.length === 1);
      assert.equal(second.lost, true);
      assert.equal(second.done(), 'lost');
      const why = /Heartbeat was answered with (UNKNOWN_MEMBER_ID|FENCED_MEMBER_EPOCH); last heartbeat sent \d+ ms ago/;
      await waitFor('the line in the log', () => lines.some((line) => line.includes(memberId) && why.test(line)));
      const again = (await consumer.poll(120_000))!;
      assert.deepEqual(valuesOf(again), ['b']);
      again.done();
    });
  });
}

describe('a group with members of both protocols', () => {
  it('is converted in both directions while members are in it, and each record is read once', async () => {
    await bench.begin();
    const classic = await bench.start({ groupProtocol: 'classic', heartbeatIntervalMs: 100 });
    await waitFor('all', () => own(classic).length === 4);
    assert.equal((await bench.broker.describeGroup('g'))!.kind, 'classic');
    const consumer = await bench.start({ groupProtocol: 'consumer' });
    await waitFor('two each', () => own(classic).length === 2 && own(consumer).length === 2);
    assert.equal((await bench.broker.describeGroup('g'))!.kind, 'consumer');
    for (const partition of [0, 1, 2, 3]) await bench.broker.append('t', partition, [{ value: `${partition}` }]);
    const seen: string[] = [];
    for (const one of [classic, consumer])
      for (let i = 0; i < 2; i++) {
        const batch = (await one.poll(120_000))!;
        seen.push(...valuesOf(batch));
        assert.equal(batch.done(), 'ok');
      }
    assert.deepEqual(seen.sort(), ['0', '1', '2', '3']);
    // A group that is converted back may take the classic member for one of an old generation, which then cannot commit any more.
    await classic.commit();
    await consumer.close();
    await waitFor('all again', () => own(classic).length === 4);
    assert.equal((await bench.broker.describeGroup('g'))!.kind, 'classic');
    assert.equal(await classic.poll(0), null, 'nothing comes twice');
  });
});

describe('a classic member that has not joined again when its group is converted back', () => {
  it('loses its partitions with its generation, says why, and goes on as the same member', async () => {
    await bench.begin();
    const { lines, logger } = logged();
    const classic = await bench.start({ groupProtocol: 'classic', heartbeatIntervalMs: 100, logger });
    await waitFor('all', () => own(classic).length === 4);
    const others = [await bench.start({ groupProtocol: 'consumer' }), await bench.start({ groupProtocol: 'consumer' })];
    const all = [classic, ...others];
    await waitFor('a share each', () => all.every((one) => own(one).length > 0) && all.flatMap(own).length === 4);
    await waitFor('a stable group', () => all.every((one) => one.group.state === 'STABLE'));
    const lost: unknown[] = [];
    classic.on('lost', (partitions) => lost.push(...partitions));
    // The group rebalances when the first one leaves, and the classic member hears of that too late.
    await bench.broker.addRule(Heartbeat.key, { holdUntil: 'both have left' }, { times: 1 });
    await bench.broker.waitForHeld('both have left');
    const { memberId } = classic.group;
    for (const one of others) await one.close();
    assert.equal((await bench.broker.describeGroup('g'))!.kind, 'classic');
    await bench.broker.release('both have left');
    await waitFor('the loss', () => lost.length > 0);
    await waitFor('the reason', () =>
      lines.some((line) => /Heartbeat was answered with ILLEGAL_GENERATION/.test(line)),
    );
    await waitFor('all again', () => own(classic).length === 4);
    assert.equal(classic.group.memberId, memberId);
  });
});

describe('a classic member that is closed while its group rebalances', () => {
  const membersOf = async (): Promise<readonly string[]> =>
    (await bench.broker.describeGroup('g'))!.members.map(({ memberId }) => memberId);

  it('is out at once, although its join waits for a member that does not know of the rebalance yet', async () => {
    await bench.begin();
    const one = await bench.start({ groupProtocol: 'classic', heartbeatIntervalMs: 100 });
    await waitFor('all', () => own(one).length === 4);
    await bench.broker.addRule(Heartbeat.key, { holdUntil: 'the other has left' }, { times: 1 });
    await bench.broker.waitForHeld('the other has left');
    const two = await bench.start({ groupProtocol: 'classic' });
    await waitFor('its join', async () => (await membersOf()).length === 2);
    // Less than the time after which a leave that is not read would be sent by another connection.
    await two.close({ timeoutMs: 20_000 });
    assert.deepEqual(await membersOf(), [one.group.memberId]);
    await bench.broker.release('the other has left');
    await waitFor('all again', () => one.group.state === 'STABLE' && own(one).length === 4);
  });

  it('leaves nothing behind when it has no id yet', async () => {
    await bench.begin();
    await bench.broker.addRule(JoinGroup.key, { holdUntil: 'it is closing' }, { times: 1 });
    const consumer = await bench.start({ groupProtocol: 'classic' });
    await bench.broker.waitForHeld('it is closing');
    const closed = consumer.close();
    await bench.broker.release('it is closing');
    await closed;
    assert.equal((await bench.broker.stats()).requests[LeaveGroup.key], 1);
    // A place that is kept for an id holds up the next member for as long as a session.
    const next = await bench.start({ groupProtocol: 'classic' });
    await waitFor('all', () => own(next).length === 4);
  });
});

describe('groupProtocol auto', () => {
  it('uses KIP-848 if the brokers have it, and else the classic protocol', async () => {
    await bench.begin();
    const { lines, logger } = logged();
    const here = await bench.start({ logger, logLevel: 'info' });
    await waitFor('a membership', () => here.group.protocol !== null);
    assert.equal(here.group.protocol, 'consumer');
    await waitFor('the line in the log', () => lines.some((line) => /group g: .*'auto' is consumer/.test(line)));
    await bench.broker.setApiVersions(ConsumerGroupHeartbeat.key, null);
    const there = await bench.start({ groupId: 'h' });
    await waitFor('a membership', () => there.group.protocol !== null);
    assert.equal(there.group.protocol, 'classic');
  });
});

describe('a join of a classic member that is never answered', () => {
  it('is sent again after the time of a session, long before the rebalance has to be over', {
    timeout: 120_000,
  }, async () => {
    await bench.begin({ groups: { minSessionTimeoutMs: 500 } });
    // The first answer gives the member its id.
    await bench.broker.control(JoinGroup, { answer: 'never' }, { skip: 1, times: 1 });
    const consumer = await bench.start({
      groupProtocol: 'classic',
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 1000,
      requestTimeoutMs: 1000,
    });
    await waitFor('all partitions', () => own(consumer).length === 4);
    await waitFor('a stable group', () => consumer.group.state === 'STABLE');
    const { members } = (await bench.broker.describeGroup('g'))!;
    assert.deepEqual(
      members.map(({ memberId }) => memberId),
      [consumer.group.memberId],
    );
    assert.equal(consumer.config.maxPollIntervalMs, 300_000);
  });
});
