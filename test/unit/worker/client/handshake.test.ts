// Between an open socket and a ready connection: the version exchange and all its answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import {
  InvalidReceiveError,
  type KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  NodeNotReadyError,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import { ApiVersions, ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, frameOf, int32, range, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

function start(): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' });
  broker = net.broker('boot:9092');
}

afterEach(() => net.close());

/** Versions of ApiVersions that were asked for, over all connections. */
function asked(): number[] {
  return broker.requestsOf(ApiVersions).map(({ version }) => version);
}

/** Why the bootstrap node is not ready. */
function whyNot(): KafkaClientError {
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError);
  return sent.error.cause as KafkaClientError;
}

test('the newest version is requested, with the name and version of this library', () => {
  start();
  net.run();
  const [request] = broker.requestsOf(ApiVersions);
  assert.equal(request!.version, ApiVersions.maxVersion);
  assert.equal(request!.correlationId, 1);
  assert.equal(request!.body.clientSoftwareName, 'offthread-kafka');
  const text = readFileSync(join(projectFolder, 'package.json'), 'utf8');
  assert.equal(request!.body.clientSoftwareVersion, (JSON.parse(text) as { version: string }).version);
  assert.ok(net.app.isConnected(-1));
});

for (const max of [4, 3, 2, 1, 0]) {
  test(`a broker that knows ApiVersions up to ${max} is asked again in its highest, on the same connection`, () => {
    start();
    broker.ranges.set(ApiVersions.key, range(0, max));
    net.run();
    assert.deepEqual(asked(), [ApiVersions.maxVersion, max]);
    assert.equal(net.transports.length, 1);
    assert.ok(net.app.isConnected(-1));
  });
}

test('a broker that does not tell its versions is asked in version 0', () => {
  start();
  broker.handlers.set(ApiVersions.key, (request) =>
    request.version > 0 ? responseFrame(request, { errorCode: 35 }, { version: 0 }) : { apiKeys: [] },
  );
  net.run();
  assert.deepEqual(asked(), [ApiVersions.maxVersion, 0]);
  assert.ok(net.app.isConnected(-1));
});

for (const [name, max] of [
  ['the same version', ApiVersions.maxVersion],
  ['a higher version', 99],
  ['a negative version', -3],
] as const) {
  test(`a broker that refuses and advertises ${name} is asked in version 0 once`, () => {
    start();
    broker.handlers.set(ApiVersions.key, (request) => {
      const apiKeys = [{ apiKey: ApiVersions.key, minVersion: -3, maxVersion: max }];
      return responseFrame(request, { errorCode: 35, apiKeys }, { version: 0 });
    });
    net.run();
    assert.deepEqual(asked(), [ApiVersions.maxVersion, 0]);
    assert.ok(whyNot() instanceof UnsupportedVersionError);
  });
}

test('a broker that refuses every version loses its connection after a few rounds', () => {
  start();
  broker.handlers.set(ApiVersions.key, (request) => {
    const apiKeys = [{ apiKey: ApiVersions.key, minVersion: 0, maxVersion: request.version - 1 }];
    return responseFrame(request, { errorCode: 35, apiKeys }, { version: 0 });
  });
  net.run();
  assert.deepEqual(asked(), [5, 4, 3, 2, 1, 0]);
  const error = whyNot();
  assert.ok(error instanceof UnsupportedVersionError);
  assert.match(error.message, /no version of ApiVersions/);
  assert.equal(error.nodeId, -1);
  assert.ok(broker.transport.isDestroyed);
});

test('another error code ends the attempt, and the error names it', () => {
  start();
  broker.handlers.set(ApiVersions.key, () => ({ errorCode: 41 }));
  net.run();
  const error = whyNot();
  assert.ok(error instanceof KafkaProtocolError);
  assert.match(error.message, /error code 41/);
});

for (const [how, end, seen] of [
  ['closes', () => broker.transport.end(), /^boot:9092 closed the connection before it answered ApiVersions/],
  [
    'resets',
    () => broker.transport.fail(new Error('read ECONNRESET')),
    /^connection with boot:9092 failed: read ECONN/,
  ],
] as const) {
  test(`a broker that ${how} before its first byte may expect TLS or have too many connections, and the error says so only then`, () => {
    start();
    broker.answers = false;
    net.run();
    end();
    net.run();
    const error = whyNot();
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, seen);
    assert.match(error.message, /TLS.*max\.connections\.per\.ip.*not be a Kafka broker \[KAFKA_\w+\]$/);

    net.advance(1000);
    broker.transport.send(int32(100));
    net.run();
    end();
    net.run();
    assert.doesNotMatch(whyNot().message, /TLS|max\.connections/);
  });
}

for (const [name, bytes, type, text] of [
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), InvalidReceiveError, /HTTP/],
  ['a TLS alert', Buffer.from('15030300020250', 'hex'), InvalidReceiveError, /TLS alert/],
  ['more than 512 KiB', int32(512 * 1024 + 1), InvalidReceiveError, /above the limit of 524288 bytes/],
  [
    'a frame of zeros',
    Buffer.concat([int32(64), Buffer.alloc(64)]),
    KafkaProtocolError,
    /correlation id 0, expected 1/,
  ],
  ['half a body', frameOf(0, 0, 0, 1, 0), KafkaProtocolError, /ApiVersions/],
  ['an endless array', frameOf(0, 0, 0, 1, 0, 0, 255, 255, 255, 255, 15), KafkaProtocolError, /ApiVersions/],
] as const) {
  test(`a peer that answers ${name}`, () => {
    start();
    broker.answers = false;
    net.run();
    broker.transport.send(bytes);
    net.run();
    const error = whyNot();
    assert.ok(error instanceof type, `${error.name}: ${error.message}`);
    assert.match(error.message, text);
    assert.ok(broker.transport.isDestroyed);
  });
}

test('a peer that sends bytes before a request ends the attempt', () => {
  start();
  broker.answers = false;
  broker.onConnection = (transport) => transport.send(Buffer.from('220 smtp.example ESMTP\r\n'));
  net.run();
  assert.ok(whyNot() instanceof InvalidReceiveError);
});

test('an attempt to a silent peer ends at the setup timeout, and a later answer changes nothing', () => {
  start();
  broker.answers = false;
  net.run();
  const { transport } = broker;
  net.advance(net.config.connectionSetupTimeoutMs - 1);
  assert.equal(transport.isDestroyed, false);
  net.advance(1);
  assert.ok(transport.isDestroyed);
  const request = broker.next();
  const error = whyNot();
  assert.ok(error instanceof KafkaConnectionError);
  assert.match(error.message, /boot:9092 did not finish in time/);
  transport.send(responseFrame(request, {}));
  net.run();
  assert.equal(net.app.isConnected(-1), false);
});

test('an attempt to a peer that answers too slowly, byte by byte, ends at the setup timeout', () => {
  start();
  broker.answers = false;
  net.run();
  const request = broker.next();
  const answer = responseFrame(request, { apiKeys: [] });
  const { transport } = broker;
  const stepMs = net.config.connectionSetupTimeoutMs / 10;
  for (let i = 0; i < 9; i++) {
    transport.send(answer.subarray(i, i + 1));
    net.advance(stepMs);
  }
  assert.equal(transport.isDestroyed, false);
  net.advance(stepMs);
  assert.ok(transport.isDestroyed);
  assert.match(whyNot().message, /did not finish in time/);
});

test('an answer that arrived before the deadline counts, even if it is read later', () => {
  start();
  broker.answers = false;
  net.run();
  net.now += net.config.connectionSetupTimeoutMs + 5;
  const request = broker.next();
  request.transport.send(responseFrame(request, { apiKeys: [] }));
  net.run();
  assert.ok(net.app.isConnected(-1));
});

test('backoff grows while peers accept and drop connections, and only a ready connection resets it', () => {
  start();
  broker.answers = false;
  broker.onConnection = (transport) => transport.end();
  net.run();
  net.advance(3_000);
  const gaps = net.attempts.slice(1).map(({ at }, i) => Math.round(at - net.attempts[i]!.at));
  // The base doubles from 50 ms up to its limit; metadata alone asks for the node here, so nothing else delays it.
  assert.deepEqual(gaps.slice(0, 5), [50, 100, 200, 400, 800]);
});

test('a handshake that cannot be written ends the attempt, but not the thread', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' }, null, { clientId: 'x'.repeat(40_000) });
  broker = net.broker('boot:9092');
  net.run();
  assert.deepEqual(net.fatal, []);
  assert.match(whyNot().message, /clientId of 40000 bytes, limit 32767/);
  assert.ok(broker.transport.isDestroyed);
});
