// Frames of responses through a whole network thread: cut and joined in every way, too long, malformed.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  CorrelationIdError,
  InvalidReceiveError,
  KafkaConnectionError,
  KafkaProtocolError,
  NodeNotReadyError,
} from '../../../../src/common/errors/errors.ts';
import { ApiVersions, ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, frameOf, int32, range, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** One broker, connected as node 1. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => {
  mock.restoreAll();
  net.close();
});

const groupsOf = (...ids: string[]) => ({ groups: ids.map((groupId) => ({ groupId })) });

function groupIds(request: { view: { groups: Iterable<{ groupId: string }> } }): string[] {
  return [...request.view.groups].map(({ groupId }) => groupId);
}

test('a response that arrives byte by byte is delivered', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  for (const byte of responseFrame(broker.next(), groupsOf('trickle'))) {
    assert.equal(sent.state, 'open');
    broker.transport.send(Buffer.of(byte));
    net.run();
  }
  assert.deepEqual(groupIds(sent), ['trickle']);
});

test('several responses in one read are delivered in order', () => {
  start();
  const sent = [1, 2, 3, 4, 5].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const requests = broker.takeWaiting();
  assert.deepEqual(
    requests.map(({ correlationId }) => correlationId - requests[0]!.correlationId),
    [0, 1, 2, 3, 4],
  );
  broker.transport.send(Buffer.concat(requests.map((request, i) => responseFrame(request, groupsOf(`g${i}`)))));
  net.run();
  assert.deepEqual(sent.flatMap(groupIds), ['g0', 'g1', 'g2', 'g3', 'g4']);
  assert.deepEqual(net.app.log.slice(-5), ['response 1', 'response 2', 'response 3', 'response 4', 'response 5']);
});

test('the same stream cut at every place yields the same responses', () => {
  start();
  for (let cut = 1, length = 2; cut < length; cut++) {
    const sent = [1, 2, 3].map(() => net.app.send(1, ListGroups, {}));
    net.run();
    const frames = broker.takeWaiting().map((request, i) => responseFrame(request, groupsOf(`g${i}`, `h${i}`)));
    const bytes = Buffer.concat(frames);
    length = bytes.length;
    broker.transport.send(bytes.subarray(0, cut));
    net.run();
    broker.transport.send(bytes.subarray(cut));
    net.run();
    assert.deepEqual(sent.flatMap(groupIds), ['g0', 'h0', 'g1', 'h1', 'g2', 'h2'], `cut at ${cut}`);
  }
});

test('an end inside a frame is a lost connection, not a protocol error', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.send(responseFrame(broker.next(), groupsOf('cut')).subarray(0, 9));
  broker.transport.end();
  net.run();
  assert.ok(sent.error instanceof KafkaConnectionError);
  assert.equal(sent.error.retriable, true);
});

/** A bad frame behind a good response: the good one counts, the request of the bad one gets `error`, the third loses. */
function badFrame(bytes: Buffer, error: new (...args: never[]) => Error, text: RegExp): void {
  start();
  const good = net.app.send(1, ListGroups, {});
  const culprit = net.app.send(1, ListGroups, {});
  const bystander = net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.send(Buffer.concat([responseFrame(broker.next(), groupsOf('good')), bytes]));
  net.run();
  assert.deepEqual(groupIds(good), ['good']);
  assert.ok(culprit.error instanceof error, `${culprit.error.name}: ${culprit.error.message}`);
  assert.match(culprit.error.message, text);
  assert.equal(culprit.error.nodeId, 1);
  assert.ok(bystander.error instanceof KafkaConnectionError, bystander.error.name);
  assert.equal(bystander.error.retriable, true);
  assert.ok(bystander.error.cause instanceof error, 'the bystander learns why');
  assert.ok(broker.transports[0]!.isDestroyed);
}

for (const [name, bytes, text] of [
  ['negative', int32(-1), /frame length -1/],
  ['most negative', int32(-(2 ** 31)), /frame length -2147483648/],
  ['0', int32(0), /frame length 0/],
  ['1', frameOf(1), /frame length 1/],
  ['3', frameOf(1, 2, 3), /frame length 3/],
  ['above the limit', int32(100_000_001), /frame length 100000001 is above the limit of 100000000 bytes/],
  ['the largest', int32(2 ** 31 - 1), /above the limit/],
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), /HTTP/],
  ['TLS alert', Buffer.from('15030300020250', 'hex'), /TLS/],
  ['TLS 1.0 alert', Buffer.from('15030100020246', 'hex'), /TLS/],
] as const) {
  test(`frame length ${name}: the oldest request gets InvalidReceiveError`, () => {
    badFrame(bytes, InvalidReceiveError, text);
  });
}

test('a frame of the configured limit is accepted, and one byte more is refused', async () => {
  for (const extra of [0, 1]) {
    start({ receiveMessageMaxBytes: 20_000 });
    broker.ranges.set(ListGroups.key, range(0, 0));
    net.app.disconnect(1);
    net.ready(1);
    const sent = net.app.send(1, ListGroups, {});
    net.run();
    const request = broker.next();
    const overhead = responseFrame(request, groupsOf('')).length - 4;
    broker.transport.send(responseFrame(request, groupsOf('x'.repeat(20_000 - overhead + extra))));
    net.run();
    if (extra === 0) assert.equal(groupIds(sent)[0]!.length, 20_000 - overhead);
    else assert.ok(sent.error instanceof InvalidReceiveError);
    await net.close();
  }
});

test('the frame limit is the same on every connection, and leaves room for big responses by default', () => {
  start();
  for (let connection = 0; connection < 3; connection++) {
    const sent = net.app.send(1, ListGroups, {});
    net.run();
    broker.next();
    broker.transport.send(int32(100_000_001));
    net.run();
    assert.ok(sent.error instanceof InvalidReceiveError);
    assert.match(sent.error.message, /above the limit of 100000000 bytes/);
    net.advance(2000);
    net.ready(1);
  }
});

test('a wrong correlation id fails the request and ends the connection', () => {
  start();
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})] as const;
  net.run();
  const first = broker.next();
  const correlationId = first.correlationId + 1;
  broker.transport.send(responseFrame(first, groupsOf('x'), { correlationId }));
  net.run();
  assert.ok(sent[0].error instanceof CorrelationIdError);
  assert.match(sent[0].error.message, new RegExp(`id ${correlationId}, expected ${first.correlationId} .*ListGroups`));
  assert.equal(sent[0].error.apiKey, ListGroups.key);
  assert.ok(sent[1].error instanceof KafkaConnectionError);
  assert.ok(sent[1].error.cause instanceof CorrelationIdError);
});

test('a response nobody asked for ends its connection', () => {
  start();
  const [request] = broker.requestsOf(ApiVersions);
  broker.transport.send(responseFrame(request!, {}));
  net.run();
  assert.equal(net.app.isConnected(1), false);
  assert.ok(broker.transport.isDestroyed);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError);
  assert.ok(sent.error.cause instanceof CorrelationIdError);
  assert.match((sent.error.cause as Error).message, /while no request was waiting/);
});

test('the error for a body that is too short names API, version and offset', () => {
  start();
  const culprit = net.app.send(1, ListGroups, {}, { version: 3 });
  const bystander = net.app.send(1, ListGroups, {});
  net.run();
  const whole = responseFrame(broker.next(), groupsOf('abcdef'));
  const short = whole.subarray(0, whole.length - 6);
  broker.transport.send(Buffer.concat([int32(short.length - 4), short.subarray(4)]));
  net.run();
  assert.ok(culprit.error instanceof KafkaProtocolError);
  assert.match(culprit.error.message, /ListGroups version 3, .*offset \d+/);
  assert.equal(culprit.error.apiKey, ListGroups.key);
  assert.equal(culprit.error.retriable, false);
  assert.ok(bystander.error instanceof KafkaConnectionError);
});

test('bytes behind the body are ignored', () => {
  start();
  const sent = net.app.send(1, ListGroups, {}, { version: 0 });
  net.run();
  const whole = responseFrame(broker.next(), groupsOf('a'));
  broker.transport.send(Buffer.concat([int32(whole.length - 4 + 3), whole.subarray(4), Buffer.alloc(3)]));
  net.run();
  assert.deepEqual(groupIds(sent), ['a']);
  assert.ok(net.app.isConnected(1));
});

test('a hostile array count fails its request without allocation', () => {
  start();
  const sent = net.app.send(1, ListGroups, {}, { version: 0 });
  net.run();
  const { correlationId } = broker.next();
  const body = Buffer.concat([int32(correlationId), Buffer.alloc(2), int32(0x7fffffff)]);
  broker.transport.send(Buffer.concat([int32(body.length), body]));
  net.run();
  assert.ok(sent.error instanceof KafkaProtocolError);
});

test('a big response has its own memory', () => {
  start();
  const ids = Array.from({ length: 30_000 }, (_, i) => `group number ${i}`);
  const sent = [1, 2].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const [small, big] = broker.takeWaiting();
  broker.transport.send(Buffer.concat([responseFrame(small!, groupsOf('s')), responseFrame(big!, groupsOf(...ids))]));
  net.run();
  assert.deepEqual(groupIds(sent[0]!), ['s']);
  assert.deepEqual(groupIds(sent[1]!), ids);
});
