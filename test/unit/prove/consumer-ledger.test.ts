// The judgement of the consumer's proof: each loss of partitions comes with what the member's log has said about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../../scripts/prove/consumer-ledger.ts';

const fenced = (what: string): string => `consumer: member a of group proof: generation 4 is over (${what})`;
const lines = [
  '50000 w m1 connection-lost: of long ago',
  '90000 w m1 connection-lost: node 2 was killed',
  '99000 w m2 consumer: of another member',
  '100000 l m1 0,3',
  `100200 w m1 ${fenced('Heartbeat was answered with ILLEGAL_GENERATION')}`,
  '101000 h m1 0 0 2 5,6',
  `101900 w m3 ${fenced('Heartbeat was answered with UNKNOWN_MEMBER_ID')}`,
  '102000 l m3 1',
  '103000 l m4 2',
];

test('each loss is reported with the lines of its log from around that time, in order', () => {
  const { evictions, conversions, lossReasons } = judge(lines, [[5, 6]], () => false, true);
  assert.deepEqual(lossReasons, [
    `m1 lost 0,3: -10000 ms: connection-lost: node 2 was killed | 200 ms: ${fenced('Heartbeat was answered with ILLEGAL_GENERATION')}`,
    `m3 lost 1: -100 ms: ${fenced('Heartbeat was answered with UNKNOWN_MEMBER_ID')}`,
    'm4 lost 2: its log says nothing',
  ]);
  assert.deepEqual({ evictions, conversions }, { evictions: 2, conversions: 1 });
});

test('a generation that ends without its member is an eviction where no group is converted', () => {
  const { evictions, conversions } = judge(lines, [[5, 6]], () => false, false);
  assert.deepEqual({ evictions, conversions }, { evictions: 3, conversions: 0 });
});
