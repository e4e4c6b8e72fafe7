// Everything that a broker can make the client keep or wait for has a limit. If memory cannot be allocated, only one connection ends.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { FindCoordinator, ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { maxNamedInPassing } from '../../../../src/protocol/flat/leader-hints.ts';
import { NO_ROW } from '../../../../src/state/counters.ts';
import { watch } from '../support/control-calls.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, int32 } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

beforeEach(() => {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000_000, connectionsMaxIdleMs: -1 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
});

afterEach(() => net.close());

test('no throttle time makes a node unready for more than five minutes, even across connections', () => {
  broker.handlers.set(ListGroups.key, () => ({ groups: [], throttleTimeMs: 2 ** 31 - 1 }));
  net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.end();
  net.advance(10_000);
  net.ready(1);
  const refused = net.app.send(1, ListGroups, {});
  net.run();
  assert.match(refused.error.message, /throttled for another/);
  net.advance(5 * 60_000);
  broker.handlers.delete(ListGroups.key);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('brokers that other responses name become nodes up to a limit, which starts again after each refresh', () => {
  const { counters } = net.app.end;
  for (let round = 0; round < 2; round++) {
    const coordinators = Array.from({ length: 2 * maxNamedInPassing }, (_, i) => ({
      key: `${i}`,
      nodeId: 10_000 + i,
      host: 'h',
      port: 1,
    }));
    const named = (): number => coordinators.filter(({ nodeId }) => counters.nodeRow(nodeId) !== NO_ROW).length;
    broker.handlers.set(FindCoordinator.key, () => ({ coordinators }));
    net.app.send(1, FindCoordinator, { keyType: 0, coordinatorKeys: ['a'] });
    net.run();
    assert.equal(named(), maxNamedInPassing);
    net.advance(1000);
    void net.control.refreshMetadata(null, false);
    net.run();
    assert.equal(named(), 0);
  }
});

test('metadata that names more brokers than any cluster has is a failed refresh', async () => {
  const brokers = Array.from({ length: 50_001 }, (_, i) => ({ nodeId: i, host: 'h', port: 1 }));
  broker.handlers.set(Metadata.key, () => ({ brokers }));
  net.advance(1000);
  const wanted = watch(net.control.refreshMetadata(null, false));
  await net.settled();
  assert.match(wanted.error!.message, /50001 brokers.*50000/);
  assert.ok(net.app.isConnected(1));
});

test('an allocation that fails closes only its connection', () => {
  const other = net.broker('two:9092', 2);
  net.advance(1000);
  void net.control.refreshMetadata(null, false);
  net.run();
  net.ready(2);
  const lost = net.app.send(1, ListGroups, {});
  const fine = net.app.send(2, ListGroups, {});
  net.run();
  const allocate = Buffer.allocUnsafeSlow;
  Buffer.allocUnsafeSlow = (size) => {
    if (size > 1_000_000) throw new RangeError('Array buffer allocation failed');
    return allocate(size);
  };
  try {
    broker.transport.send(Buffer.concat([int32(50_000_000), Buffer.alloc(100)]));
    net.run();
  } finally {
    Buffer.allocUnsafeSlow = allocate;
  }
  assert.deepEqual(net.fatal, []);
  assert.ok(lost.error instanceof KafkaConnectionError);
  assert.match(lost.error.message, /a frame of 50000000 bytes cannot be received: Array buffer allocation failed/);
  assert.ok(broker.transports[0]!.isDestroyed);
  other.reply({ groups: [] });
  net.run();
  assert.equal(fine.state, 'succeeded');
});
