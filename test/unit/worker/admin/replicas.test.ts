// Administration calls about replicas and transactions whose answers need more than reading.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { describeReplicaLogDirs, electLeaders } from '../../../../src/worker/admin/calls/replicas.ts';
import { describeProducers } from '../../../../src/worker/admin/calls/transactions.ts';
import { FakeHost } from './fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

test('describeReplicaLogDirs finds each replica on its broker, and the directory into which it is being moved', async () => {
  host.reply = ({ brokerId }) => {
    if (brokerId === 2) return { response: { errorCode: 31 } };
    const topics = (isFutureKey: boolean, offsetLag: number) => [
      { name: 't', partitions: [{ partitionIndex: 0, isFutureKey, offsetLag }] },
    ];
    const results = [
      { logDir: '/a', topics: topics(false, 0) },
      { logDir: '/b', topics: topics(true, 7) },
      // A directory that is offline.
      { logDir: '/c', errorCode: 56 },
    ];
    return { response: { results } };
  };
  const replicas = [
    { topic: 't', partition: 0, brokerId: 1 },
    { topic: 't', partition: 1, brokerId: 1 },
    { topic: 't', partition: 0, brokerId: 2 },
  ];
  const [found, none, refused] = (await host.run(describeReplicaLogDirs(host.call(), { replicas }))).map(
    ([, outcome]) => outcome,
  );
  assert.ok(found?.ok === true && none?.ok === true && refused?.ok === false);
  const { current, future } = found.value;
  assert.deepEqual([current?.path, String(current?.offsetLag)], ['/a', '0']);
  assert.deepEqual([future?.path, String(future?.offsetLag)], ['/b', '7']);
  assert.deepEqual(none.value, { current: null, future: null });
  assert.deepEqual(
    host.asked.map(({ brokerId }) => brokerId),
    [1, 2],
  );
});

test('a leader that is the preferred one already is a success of electLeaders', async () => {
  host.reply = ({ api }) => {
    if (api === 'Metadata') return { response: { controllerId: 2 } };
    const partitionResult = [
      { partitionId: 0, errorCode: 84 },
      { partitionId: 1, errorCode: 80, errorMessage: 'the preferred leader is down' },
    ];
    return { response: { replicaElectionResults: [{ topic: 't', partitionResult }] } };
  };
  for (const partitions of [[0, 1].map((partition) => ({ topic: 't', partition })), null]) {
    const results = await host.run(electLeaders(host.call(), { isUnclean: false, partitions }));
    const [fine, down] = results.map(([, outcome]) => outcome);
    assert.ok(fine?.ok === true && down?.ok === false);
    assert.match(down.error.message, /the preferred leader is down/);
  }
});

test('describeProducers asks the broker that is named, and does not look for another', async () => {
  host.reply = () => ({ response: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 6 }] }] } });
  const args = { partitions: [{ topic: 't', partition: 0 }], brokerId: 7 };
  const results = await host.run(describeProducers(host.call(), args));
  assert.equal(results[0]![1].ok, false);
  assert.deepEqual(
    host.asked.map(({ api, brokerId }) => [api, brokerId]),
    [['DescribeProducers', 7]],
  );
});
