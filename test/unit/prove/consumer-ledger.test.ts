// The judgement of the consumer's proof: each loss of partitions comes with what the logs have said about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerLines, judge } from '../../../scripts/prove/consumer-ledger.ts';

const fenced = (what: string): string => `consumer: member a of group proof: generation 4 is over (${what})`;
const oldGeneration = fenced('Heartbeat was answered with ILLEGAL_GENERATION');
const unknownMember = fenced('Heartbeat was answered with UNKNOWN_MEMBER_ID');
const converted = 'Converted the consumer group to a classic group.';
const none = (): boolean => false;

test('each loss is reported with the lines of the logs from around that time, in order', () => {
  const lines = [
    '50000 w m1 connection-lost: of long ago',
    '90000 w m1 connection-lost: node 2 was killed',
    '99000 w m2 consumer: of another member',
    '100000 l m1 0,3',
    `100200 w m1 ${oldGeneration}`,
    '101000 h m1 0 0 2 5,6',
    '200000 l m3 1',
    `98000 b 2 ${converted}`,
  ];
  const { evictions, conversions, lossReasons } = judge(lines, [[5, 6]], none);
  assert.deepEqual(lossReasons, [
    `m1 lost 0,3: -10000 ms: connection-lost: node 2 was killed | -2000 ms: broker: ${converted} | 200 ms: ${oldGeneration}`,
    'm3 lost 1: the logs say nothing',
  ]);
  assert.deepEqual({ evictions, conversions }, { evictions: 1, conversions: 1 });
});

for (const [what, lines] of [
  ['of an old generation in a group that was not converted', [`100000 w m1 ${oldGeneration}`]],
  [
    'of an old generation long after the group was converted',
    [`100000 w m1 ${oldGeneration}`, `90000 b 2 ${converted}`],
  ],
  ['that the group does not have any more', [`100000 w m1 ${unknownMember}`, `98000 b 2 ${converted}`]],
] as const)
  test(`a member ${what} is an eviction`, () => {
    const { evictions, conversions } = judge(['100000 l m1 0', ...lines], [[]], none);
    assert.deepEqual({ evictions, conversions }, { evictions: 1, conversions: 0 });
  });

test('what brokers say of the group is found in their logs', () => {
  const log = [
    `2026-11-30 01:57:50,301 INFO [GroupCoordinator id=1 topic=__consumer_offsets partition=3] [GroupId proof] ${converted} (org.apache.kafka.coordinator.group.GroupMetadataManager)`,
    '2026-11-30 01:57:50,301 INFO [GroupCoordinator id=1 topic=__consumer_offsets partition=3] [GroupId other] Member x left the consumer group. (org.apache.kafka.coordinator.group.GroupMetadataManager)',
    '2026-11-30 01:57:51,000 INFO something else (org.apache.kafka.raft.X)',
  ].join('\n');
  assert.deepEqual(brokerLines(log, '2', 'proof'), [`${Date.parse('2026-11-30T01:57:50.301')} b 2 ${converted}`]);
});
