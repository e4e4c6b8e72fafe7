// The way of requests and responses through a whole network thread: frames cut and joined in every way, versions, errors
// on the connection's path. No clock, no socket.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  CorrelationIdError,
  IncompatibleBrokerVersion,
  InvalidReceiveError,
  InvalidRequestError,
  KafkaConnectionError,
  KafkaProtocolError,
  NodeNotReadyError,
  TooManyInFlightRequests,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import {
  ApiVersions,
  DescribeConfigs,
  Heartbeat,
  ListGroups,
  Produce,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { Channel } from '../../../../src/worker/net/channel.ts';
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

test('a request travels to the node and its response comes back, in the highest version both know', () => {
  start({ clientId: 'somebody' });
  broker.ranges.set(ListGroups.key, range(1, 4));
  net.app.disconnect(1);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, { statesFilter: ['Stable'] });
  net.run();
  const [request] = broker.waiting;
  assert.equal(request!.version, 4);
  assert.equal(request!.clientId, 'somebody');
  assert.deepEqual([...request!.body.statesFilter], ['Stable']);
  assert.equal(sent.state, 'open');
  broker.reply(groupsOf('a', 'b'));
  net.run();
  assert.deepEqual(groupIds(sent), ['a', 'b']);
});

test('a response that arrives byte by byte', () => {
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

test('requests of one turn leave in one system call, in order', () => {
  start();
  const before = broker.transport.writes;
  for (let i = 0; i < 4; i++) net.app.send(1, Heartbeat, { groupId: `g${i}`, generationId: i, memberId: 'm' });
  net.run();
  assert.equal(broker.transport.writes - before, 4);
  assert.equal(broker.transport.corks, 0, 'corked as often as uncorked');
  assert.deepEqual(
    broker.waiting.map(({ body }) => body.groupId),
    ['g0', 'g1', 'g2', 'g3'],
  );
});

test('requests wait while the peer does not read, and leave in order once it does', () => {
  start();
  const { transport } = broker;
  transport.isBlocked = true;
  const first = net.app.send(1, ListGroups, {});
  net.run();
  const writes = transport.writes;
  const second = net.app.send(1, ListGroups, {});
  const third = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(transport.writes, writes, 'nothing is written behind a full send buffer');
  transport.drain();
  net.run();
  assert.equal(broker.waiting.length, 3);
  for (let i = 0; i < 3; i++) broker.reply(groupsOf(`g${i}`));
  net.run();
  assert.deepEqual([first, second, third].flatMap(groupIds), ['g0', 'g1', 'g2']);
});

test('a response together with the end of the stream is delivered before the connection closes', () => {
  start();
  const answered = net.app.send(1, ListGroups, {});
  const unanswered = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply(groupsOf('last words'));
  broker.transport.end();
  net.run();
  assert.deepEqual(groupIds(answered), ['last words']);
  assert.ok(unanswered.error instanceof KafkaConnectionError);
  assert.match(unanswered.error.message, /one:9092 closed the connection/);
  assert.equal(unanswered.error.nodeId, 1);
  assert.equal(net.app.isConnected(1), false);
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

test('a reset names its cause and fails everything in flight, oldest first', () => {
  start();
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  broker.transport.fail(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  net.run();
  for (const { error } of sent) {
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, /ECONNRESET/);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNRESET');
  }
  assert.deepEqual(net.app.log.slice(-2), ['failure 1', 'failure 2']);
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

test('a frame of the configured limit is accepted, one byte more is not', async () => {
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

test('a wrong correlation id', () => {
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

test('a body shorter than its schema names API, version and offset', () => {
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

test('a big response goes through memory of its own', () => {
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

test('a version the broker does not have fails that request only', () => {
  start();
  broker.ranges.set(ListGroups.key, range(1, 3));
  net.app.disconnect(1);
  net.ready(1);
  const tooHigh = net.app.send(1, ListGroups, {}, { version: 4 });
  const tooLow = net.app.send(1, ListGroups, {}, { version: 0 });
  const fits = net.app.send(1, ListGroups, {}, { version: 2 });
  net.run();
  for (const { error } of [tooHigh, tooLow]) {
    assert.ok(error instanceof UnsupportedVersionError);
    assert.match(error.message, /the broker supports 1 to 3, this client 0 to 5/);
    assert.equal(error.nodeId, 1);
  }
  assert.equal(broker.waiting[0]!.version, 2);
  assert.equal(fits.state, 'open');
});

test('an API the broker does not have, or has no common version of, fails before anything is written', () => {
  start();
  broker.ranges.delete(DescribeConfigs.key);
  broker.ranges.set(ListGroups.key, range(90, 99));
  net.app.disconnect(1);
  net.ready(1);
  const absent = net.app.send(1, DescribeConfigs, { resources: [] });
  const newer = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(absent.error instanceof IncompatibleBrokerVersion);
  assert.match(absent.error.message, /does not support DescribeConfigs \(API key 32\)/);
  assert.ok(newer.error instanceof IncompatibleBrokerVersion);
  assert.match(newer.error.message, /90 to 99/);
  assert.equal(broker.waiting.length, 0);
  assert.ok(net.app.isConnected(1));
});

test('an API key that no table has fails its request, not the thread', () => {
  start();
  const odd = { ...plainApi(ListGroups), key: 9999 };
  const sent = net.app.send(1, odd, {});
  const next = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof UnsupportedVersionError);
  assert.match(sent.error.message, /unknown API key 9999/);
  assert.equal(next.state, 'open');
});

test('a request its version cannot carry fails alone; the next one is not disturbed', () => {
  start();
  // A transactional id exists from version 3 on, and version 2 must not drop it silently.
  const request = { acks: -1, timeoutMs: 1000, transactionalId: 'tx', topicData: [] };
  const refused = net.app.send(1, Produce, request, { version: 2 });
  const next = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(refused.error instanceof InvalidRequestError, refused.error.name);
  assert.equal(refused.error.nodeId, 1);
  assert.equal(broker.waiting.length, 1);
  broker.reply(groupsOf('fine'));
  net.run();
  assert.deepEqual(groupIds(next), ['fine']);
});

test('a Produce with acks 0 succeeds once it is handed to the socket, and is not in flight', () => {
  start();
  const silent = net.app.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  const loud = net.app.send(1, Produce, { acks: 1, timeoutMs: 1000, topicData: [] });
  net.run();
  assert.equal(silent.state, 'succeeded');
  assert.equal(silent.response, null);
  assert.equal(loud.state, 'open');
  assert.deepEqual(
    broker.waiting.map(({ body }) => body.acks),
    [0, 1],
  );
  broker.next();
  broker.reply({});
  net.run();
  assert.equal(loud.state, 'succeeded');
});

test('a broker that answers acks 0 breaks the order and loses its connection', () => {
  start();
  net.app.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  const sent = net.app.send(1, Produce, { acks: 1, timeoutMs: 1000, topicData: [] });
  net.run();
  broker.reply({});
  net.run();
  assert.ok(sent.error instanceof CorrelationIdError);
});

test('a send to a node that is not connected fails and begins a connection', () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  net.run();
  assert.equal(net.app.isConnected(1), false);
  const early = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(early.error instanceof NodeNotReadyError);
  assert.match(early.error.message, /node 1 \(one:9092\) is not connected/);
  assert.ok(net.app.isConnected(1));
});

test('a send to a node that nobody knows', () => {
  start();
  const sent = net.app.send(77, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError);
  assert.match(sent.error.message, /node 77 is not part of the cluster/);
});

/** Two brokers, each with a request in flight: the first will go wrong, and the other one is to be left alone. */
function startBesideAnother() {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  const other = net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
  const bad = net.app.send(1, ListGroups, {});
  const good = net.app.send(2, ListGroups, {});
  net.run();
  return { other, bad, good };
}

test('an error on one connection leaves the others alone', () => {
  const { other, bad, good } = startBesideAnother();
  broker.transport.send(int32(-5));
  other.reply(groupsOf('untouched'));
  net.run();
  assert.ok(bad.error instanceof InvalidReceiveError);
  assert.deepEqual(groupIds(good), ['untouched']);
  assert.ok(net.app.isConnected(2));
});

test('an exception of ours costs the connection it came from, is counted and told; the thread lives', (t) => {
  const { other, bad, good } = startBesideAnother();
  const fault = new RangeError('a fault of ours');
  const decode = t.mock.method(wireCodec(ListGroups.key), 'decodeResponse', () => {
    throw fault;
  });
  broker.reply(groupsOf('x'));
  net.run();
  decode.mock.restore();
  other.reply(groupsOf('untouched'));
  net.run();
  assert.match(bad.error.message, /unexpected error in the network thread/);
  assert.equal((bad.error.cause as Error).message, fault.message);
  assert.equal(net.app.isConnected(1), false);
  assert.deepEqual(groupIds(good), ['untouched']);
  assert.equal(net.metrics().total('unexpectedErrors'), 1);
  const events = net.logs.flatMap(({ records }) => records.map(({ event }) => event));
  assert.ok(events.includes('unexpected-error'), String(events));
  assert.deepEqual(net.fatal, []);
  net.advance(100);
  net.ready(1);
});

test('correlation ids start anew with each connection', () => {
  start();
  net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.end();
  net.run();
  net.advance(100);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  const ids = broker.requests
    .filter(({ transport }) => transport === broker.transport)
    .map(({ correlationId }) => correlationId);
  assert.deepEqual(ids.slice(0, 2), [1, 2]);
});

test('correlation ids of requests in flight go on at 1 after the largest int32, and responses find them', () => {
  start();
  const { nextCorrelationId } = Channel.prototype;
  let isFirst = true;
  mock.method(Channel.prototype, 'nextCorrelationId', function (this: Channel): number {
    // As after two thousand million requests.
    if (isFirst) this.lastCorrelationId = 2 ** 31 - 3;
    isFirst = false;
    return nextCorrelationId.call(this);
  });
  const sent = [1, 2, 3, 4].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const requests = broker.takeWaiting();
  assert.deepEqual(
    requests.map(({ correlationId }) => correlationId),
    [2 ** 31 - 2, 2 ** 31 - 1, 1, 2],
  );
  broker.transport.send(Buffer.concat(requests.map((request, i) => responseFrame(request, groupsOf(`g${i}`)))));
  net.run();
  assert.deepEqual(sent.flatMap(groupIds), ['g0', 'g1', 'g2', 'g3']);
});

/** The parts of an API object that an application uses, so that some can be changed. */
function plainApi<Request, Response>(api: {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleVersion: number;
  readonly latestVersionUnstable: boolean;
  writeRequest(w: never, request: Request): void;
  readResponse(message: never): Response;
  writeResponse(w: never, response: never): void;
  readRequest(message: never): unknown;
}) {
  const { key, name, minVersion, maxVersion, flexibleVersion, latestVersionUnstable } = api;
  return {
    key,
    name,
    minVersion,
    maxVersion,
    flexibleVersion,
    latestVersionUnstable,
    writeRequest: (w: unknown, request: Request) => api.writeRequest(w as never, request),
    readResponse: (message: unknown) => api.readResponse(message as never),
    writeResponse: (w: unknown, response: unknown) => api.writeResponse(w as never, response as never),
    readRequest: (message: unknown) => api.readRequest(message as never),
  };
}

test('the limit of requests in flight counts those of all threads together', () => {
  start({ maxInFlightRequestsPerConnection: 3 });
  const other = net.attach();
  const mine = [1, 2].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const theirs = [1, 2].map(() => other.send(1, ListGroups, {}));
  net.run();
  assert.equal(broker.waiting.length, 3);
  assert.ok(theirs[1]!.error instanceof TooManyInFlightRequests);
  assert.match(
    theirs[1]!.error.message,
    /node 1 \(one:9092\) has 3 requests in flight, of all threads together; the limit is 3/,
  );
  assert.equal(theirs[1]!.error.retriable, true);
  broker.reply(groupsOf('a'));
  net.run();
  assert.equal(mine[0]!.state, 'succeeded');
  const late = other.send(1, ListGroups, {});
  net.run();
  assert.equal(late.state, 'open');
});

test('whoever sees a response finds it counted as answered', () => {
  start();
  const { counters } = net.app.end;
  const inFlight = () => counters.inFlight(counters.nodeRow(1));
  const seen: number[] = [];
  const { responses } = net.app.end;
  const next = responses.next.bind(responses);
  responses.next = () => {
    const isThere = next();
    if (isThere) seen.push(inFlight());
    return isThere;
  };
  net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(inFlight(), 1);
  broker.reply(groupsOf('a'));
  net.run();
  assert.deepEqual(seen, [0]);
});
