// Administration calls about groups and their offsets.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { KafkaConnectionError, UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { describeClassicGroups } from '../../../../src/worker/admin/calls/classic-groups.ts';
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  listConsumerGroupOffsets,
} from '../../../../src/worker/admin/calls/group-offsets.ts';
import {
  deleteGroups,
  describeConsumerGroups,
  listGroups,
  removeMembersFromConsumerGroup,
} from '../../../../src/worker/admin/calls/groups.ts';
import { type Asked, FakeHost, type Reply } from './fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

/** Coordinators by group; a group that has none is not available. */
function coordinators(byGroup: Readonly<Record<string, number>>, reply: (asked: Asked) => Reply): void {
  host.reply = (asked) => {
    if (asked.api !== 'FindCoordinator') return reply(asked);
    const { coordinatorKeys } = asked.request as { coordinatorKeys: string[] };
    const found = coordinatorKeys.map((key) => ({
      key,
      nodeId: byGroup[key] ?? -1,
      errorCode: key in byGroup ? 0 : 15,
    }));
    return { response: { coordinators: found } };
  };
}

const described = (groups: string[]) => ({ groups, includeAuthorizedOperations: false });

describe('listGroups', () => {
  test('asks every broker, and one that fails costs only its own groups', async () => {
    host.reply = ({ api, brokerId }) => {
      if (api === 'Metadata') return { response: { brokers: [{ nodeId: 1 }, { nodeId: 2 }] } };
      if (brokerId === 2) return { error: new KafkaConnectionError('connection refused') };
      return {
        response: { groups: [{ groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' }] },
      };
    };
    const { groups, errors } = await host.run(
      listGroups(host.call(1000), { states: [], types: [], protocolTypes: [] }),
    );
    assert.deepEqual(groups, [{ groupId: 'g', protocolType: 'consumer', state: 'Stable', type: 'classic' }]);
    assert.deepEqual(
      errors.map(({ brokerId }) => brokerId),
      [2],
    );
  });

  test('tries a broker again that is still loading', async () => {
    let asks = 0;
    host.reply = ({ api }) => {
      if (api === 'Metadata') return { response: { brokers: [{ nodeId: 1 }] } };
      return { response: asks++ === 0 ? { errorCode: 14 } : { groups: [{ groupId: 'g' }] } };
    };
    const { groups } = await host.run(listGroups(host.call(), { states: [], types: [], protocolTypes: [] }));
    assert.equal(groups.length, 1);
  });

  test('fields that old brokers do not have are null, and filters that they do not have are refused', async () => {
    host.reply = ({ api }, { minVersion }) => {
      if (api === 'Metadata') return { response: { brokers: [{ nodeId: 1 }] } };
      if (minVersion === 5) return { error: new UnsupportedVersionError('ListGroups 5 is not known here') };
      return { response: { groups: [{ groupId: 'g' }] }, version: 2 };
    };
    const { groups } = await host.run(listGroups(host.call(), { states: [], types: [], protocolTypes: [] }));
    assert.deepEqual([groups[0]!.state, groups[0]!.type], [null, null]);
    const refused = await host.run(listGroups(host.call(), { states: [], types: ['share'], protocolTypes: [] }));
    assert.equal(refused.errors[0]!.error.name, 'UnsupportedVersionError');
  });
});

describe('describeConsumerGroups', () => {
  const assignment = Buffer.from(
    '0000' + '00000001' + '0001' + '74' + '00000002' + '00000000' + '00000002' + 'ffffffff',
    'hex',
  );

  test('describes groups of either protocol, each at its coordinator', async () => {
    coordinators({ old: 1, new: 2, none: 1 }, ({ api, request }) => {
      const { groups = [], groupIds = [] } = request as { groups?: string[]; groupIds?: string[] };
      if (api === 'ConsumerGroupDescribe') {
        const partitions = { topicPartitions: [{ topicName: 't', partitions: [1] }] };
        const member = {
          memberId: 'm',
          memberEpoch: 4,
          assignment: partitions,
          targetAssignment: { topicPartitions: [] },
        };
        const list = groupIds.map((groupId) =>
          groupId === 'new'
            ? { groupId, groupState: 'Stable', groupEpoch: 4, members: [member] }
            : { groupId, errorCode: 69 },
        );
        return { response: { groups: list } };
      }
      const member = { memberId: 'x', memberAssignment: assignment };
      const list = groups.map((groupId) =>
        groupId === 'old'
          ? { groupId, groupState: 'Stable', protocolData: 'range', members: [member] }
          : { groupId, errorCode: 69 },
      );
      return { response: { groups: list } };
    });
    const results = new Map(await host.run(describeConsumerGroups(host.call(), described(['old', 'new', 'none']))));
    const old = results.get('old')!;
    const current = results.get('new')!;
    assert.ok(old.ok && current.ok);
    assert.deepEqual([old.value.type, old.value.assignor], ['classic', 'range']);
    assert.deepEqual(old.value.members[0]!.assignment, [
      { topic: 't', partition: 0 },
      { topic: 't', partition: 2 },
    ]);
    assert.deepEqual([current.value.type, current.value.groupEpoch], ['consumer', 4]);
    assert.deepEqual(current.value.members[0]!.assignment, [{ topic: 't', partition: 1 }]);
    const none = results.get('none')!;
    assert.ok(!none.ok);
    assert.equal(none.error.name, 'GroupIdNotFoundError');
  });

  test('a group of another protocol type, or one that cannot be read, has an error of its own, and costs the others nothing', async () => {
    coordinators({ c: 1, bad: 1, g: 1 }, ({ api }) => {
      if (api === 'ConsumerGroupDescribe') return { error: new UnsupportedVersionError('not known here') };
      const of = (groupId: string, protocolType: string, bytes: Uint8Array) => {
        const members = [{ memberId: 'm', memberAssignment: bytes, memberMetadata: Buffer.from('any') }];
        return { groupId, groupState: 'Stable', protocolType, members };
      };
      const list = [
        of('c', 'connect', Buffer.from('url')),
        of('bad', 'consumer', Buffer.from([0])),
        of('g', 'consumer', assignment),
      ];
      return { response: { groups: list } };
    });
    const groups = ['c', 'bad', 'g'];
    const [connect, bad, good] = (await host.run(describeConsumerGroups(host.call(), described(groups)))).map(
      ([, outcome]) => outcome,
    );
    assert.ok(connect?.ok === false && bad?.ok === false && good?.ok === true);
    assert.match(
      connect.error.message,
      /group 'c' has protocol type 'connect', not 'consumer': use describeClassicGroups/,
    );
    assert.equal(bad.error.name, 'KafkaProtocolError');
    const classic = await host.run(describeClassicGroups(host.call(), described(groups)));
    const [, found] = classic[0]!;
    assert.ok(found.ok);
    assert.equal(found.value.protocolType, 'connect');
    assert.equal(Buffer.from(found.value.members[0]!.assignment).toString(), 'url');
    assert.equal(Buffer.from(found.value.members[0]!.metadata).toString(), 'any');
  });

  test('a group in state Dead on old brokers does not exist', async () => {
    coordinators({ g: 1 }, ({ api }) =>
      api === 'ConsumerGroupDescribe'
        ? { error: new UnsupportedVersionError('not known here') }
        : { response: { groups: [{ groupId: 'g', groupState: 'Dead' }] } },
    );
    const results = await host.run(describeConsumerGroups(host.call(), described(['g'])));
    assert.equal(results[0]![1].ok, false);
  });

  test('a coordinator that moved is found again', async () => {
    const where = { g: 1 };
    coordinators(where, ({ brokerId }) => {
      if (brokerId === 2) return { response: { groups: [{ groupId: 'g', groupState: 'Empty' }] } };
      where.g = 2;
      return { response: { groups: [{ groupId: 'g', errorCode: 16 }] } };
    });
    const results = await host.run(describeConsumerGroups(host.call(), described(['g'])));
    assert.ok(results[0]![1].ok);
  });
});

test('deleteGroups gives each group its own outcome', async () => {
  coordinators({ a: 1, b: 1 }, () => ({
    response: {
      results: [
        { groupId: 'a', errorCode: 0 },
        { groupId: 'b', errorCode: 68 },
      ],
    },
  }));
  const results = await host.run(deleteGroups(host.call(), { groups: ['a', 'b'] }));
  assert.deepEqual(
    results.map(([, outcome]) => outcome.ok),
    [true, false],
  );
});

describe('offsets of groups', () => {
  test('an offset that was not committed is null, and the call waits for an open transaction', async () => {
    let asks = 0;
    coordinators({ g: 1 }, () => {
      const isUnstable = asks++ === 0;
      const partitions = [
        { partitionIndex: 0, committedOffset: 5, metadata: 'm', errorCode: isUnstable ? 88 : 0 },
        { partitionIndex: 1, committedOffset: -1 },
      ];
      return { response: { groups: [{ groupId: 'g', topics: [{ name: 't', partitions }] }] }, version: 9 };
    });
    const args = { groups: [{ groupId: 'g' }], requireStable: true };
    const results = await host.run(listConsumerGroupOffsets(host.call(), args));
    const outcome = results[0]![1];
    assert.ok(outcome.ok);
    assert.deepEqual(
      outcome.value.map(([{ partition }, one]) => [partition, one.ok && (one.value?.offset.toNumber() ?? null)]),
      [
        [0, 5],
        [1, null],
      ],
    );
    assert.equal(asks, 2);
  });

  test('brokers that do not know open transactions are asked without them', async () => {
    coordinators({ g: 1 }, ({ request }) => {
      const { requireStable, groups } = request as { requireStable?: boolean; groups?: unknown };
      if (groups !== undefined || requireStable === true) return { error: new UnsupportedVersionError('too new') };
      return { response: { topics: [{ name: 't', partitions: [{ committedOffset: 7 }] }] }, version: 5 };
    });
    const args = { groups: [{ groupId: 'g' }], requireStable: true };
    const [, outcome] = (await host.run(listConsumerGroupOffsets(host.call(), args)))[0]!;
    assert.ok(outcome.ok);
    const [, committed] = outcome.value[0]!;
    assert.ok(committed.ok && String(committed.value?.offset) === '7');
  });

  test('offsets of a group with members cannot be set', async () => {
    coordinators({ g: 1 }, () => ({
      response: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 25 }] }] },
    }));
    const offsets = [{ topic: 't', partition: 0, offset: 3 }];
    const results = await host.run(alterConsumerGroupOffsets(host.call(), { groupId: 'g', offsets }));
    assert.equal(results[0]![1].ok, false);
  });

  test('an error of the whole request is the error of every partition', async () => {
    coordinators({ g: 1 }, () => ({ response: { errorCode: 69 } }));
    const partitions = [0, 1].map((partition) => ({ topic: 't', partition }));
    const results = await host.run(deleteConsumerGroupOffsets(host.call(), { groupId: 'g', partitions }));
    assert.deepEqual(
      results.map(([, outcome]) => !outcome.ok && outcome.error.name),
      ['GroupIdNotFoundError', 'GroupIdNotFoundError'],
    );
  });
});

test('all members can be removed without knowing them', async () => {
  coordinators({ g: 1 }, ({ api, request }) => {
    if (api === 'ConsumerGroupDescribe') return { error: new UnsupportedVersionError('not known here') };
    const members = [
      { memberId: 'x', groupInstanceId: null },
      { memberId: 'y', groupInstanceId: 'i' },
    ];
    if (api === 'DescribeGroups') return { response: { groups: [{ groupId: 'g', groupState: 'Stable', members }] } };
    const { members: named } = request as { members: { reason: string }[] };
    assert.deepEqual(
      named.map(({ reason }) => reason),
      ['why', 'why'],
    );
    return { response: { members } };
  });
  const args = { groupId: 'g', members: 'all' as const, reason: 'why' };
  const results = await host.run(removeMembersFromConsumerGroup(host.call(), args));
  assert.deepEqual(
    results.map(([name, outcome]) => [name, outcome.ok]),
    [
      ['x', true],
      ['i', true],
    ],
  );
});
