// The record of each request: what it has, when it is made, and that it leaves room for other records.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import type { LogRecord } from '../../../../src/common/logger.ts';
import { ListGroups, Metadata, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { Log } from '../../../../src/worker/report/log.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

function start(options: KafkaClientOptions): void {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, ...options });
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => net?.close());

/** Records since the last call. */
function told(): LogRecord[] {
  net.thread.logTaken();
  return net.logs.splice(0).flatMap((batch) => [...batch.records]);
}

const requestsIn = (records: readonly LogRecord[]): LogRecord[] => records.filter(({ event }) => event === 'request');

test('at level debug each request has a record with its API, version, node, bytes and time', () => {
  start({ logLevel: 'debug' });
  const names = requestsIn(told()).map(({ request }) => request!.api);
  assert.ok(names.includes('ApiVersions') && names.includes('Metadata'), names.join());
  const sent = net.app.send(1, Metadata, { topics: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  const [record, ...others] = requestsIn(told());
  assert.deepEqual(others, []);
  const { request, level, nodeId, error, message } = record!;
  assert.deepEqual([level, nodeId, error], ['debug', 1, null]);
  assert.equal(request!.api, 'Metadata');
  assert.equal(request!.apiKey, Metadata.key);
  assert.ok(request!.apiVersion >= 0 && request!.requestBytes > 12 && request!.responseBytes > 8, message);
  assert.match(message, /^Metadata v\d+ to node 1: \d+ bytes out, \d+ bytes in, [\d.]+ ms$/);
});

test('a request that fails has a record with its error', () => {
  start({ logLevel: 'debug', requestTimeoutMs: 4000 });
  told();
  broker.answers = false;
  net.app.send(1, ListGroups, {});
  net.advance(5000);
  const failed = requestsIn(told()).filter(({ request }) => request!.api === 'ListGroups');
  assert.equal(failed.length, 1);
  assert.equal(failed[0]!.error!.name, 'RequestTimedOutError');
  assert.equal(failed[0]!.request!.responseBytes, 0);
  assert.ok(failed[0]!.request!.latencyMs >= 4000);
  assert.match(failed[0]!.message, /: \d+ bytes out, \w*REQUEST_TIMED_OUT\w* after \d+/);
});

test('a Produce with acks 0 has a record when the socket has it', () => {
  start({ logLevel: 'debug' });
  told();
  net.app.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  net.run();
  const [record] = requestsIn(told());
  assert.equal(record!.request!.api, 'Produce');
  assert.equal(record!.request!.responseBytes, 0);
  assert.equal(record!.error, null);
});

test('below debug no record is made, until somebody listens', async () => {
  start({ logLevel: 'warn' });
  net.app.send(1, Metadata, { topics: [] });
  net.run();
  assert.deepEqual(told(), []);
  assert.deepEqual(await net.control.observe(true), { value: null });
  net.app.send(1, Metadata, { topics: [] });
  net.run();
  assert.equal(requestsIn(told()).length, 1);
  await net.control.observe(false);
  net.app.send(1, Metadata, { topics: [] });
  net.run();
  assert.deepEqual(told(), []);
});

test('records of requests leave room for others, and those without room are counted', () => {
  const batches: { records: readonly LogRecord[]; dropped: number }[] = [];
  const log = new Log('debug', (batch) => batches.push(batch));
  const facts = { api: 'Fetch', apiKey: 1, apiVersion: 1, requestBytes: 1, responseBytes: 1, latencyMs: 1 };
  for (let i = 0; i < 1000; i++) log.request('x', facts, 1, null);
  log.write('warn', 'connection-lost', 'x');
  log.flush();
  const [{ records, dropped }] = batches as [(typeof batches)[0]];
  assert.equal(records.at(-1)!.event, 'connection-lost');
  assert.equal(records.length - 1 + dropped, 1000);
  assert.ok(records.length < 256);
});
