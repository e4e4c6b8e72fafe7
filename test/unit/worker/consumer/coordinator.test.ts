// The search for a group's coordinator when the one that is known cannot be had any more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnknownBrokerIdError } from '../../../../src/common/errors/errors.ts';
import { FindCoordinator, JoinGroup } from '../../../../src/protocol/flat/generated/apis.ts';
import { ConsumerBench } from './support/consumer-bench.ts';

const at = (nodeId: number) => ({
  coordinators: [{ key: 'g', nodeId, host: 'h', port: nodeId, errorCode: 0, errorMessage: null }],
});

test('a coordinator that left the cluster before the first request is looked up again', () => {
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol: 'classic' });
  bench.topic('t', 1);
  bench.isUp = ({ brokerId }) => brokerId !== 2;
  bench.role.subscribe({ names: ['t'] }, bench.now);
  bench.turn();
  bench.answer(FindCoordinator, at(2));
  bench.advance(1000);
  assert.equal(bench.asked(FindCoordinator).length, 0, 'its connection may still come');
  bench.errorOf = ({ brokerId }) => (brokerId === 2 ? new UnknownBrokerIdError('gone') : null);
  bench.turn();
  bench.advance(1000);
  bench.answer(FindCoordinator, at(3));
  assert.equal(bench.asked(JoinGroup).length, 1);
});
