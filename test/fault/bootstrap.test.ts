// Servers that are not brokers or cannot be reached: `start` ends in the configured time, gives the reason for each server, and leaves
// nothing behind that keeps the process alive.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { KafkaClient, type KafkaClientOptions, Metadata, NoBrokersAvailable } from '../../src/index.ts';
import { startChild } from '../broker/support/child.ts';
import { openClient, unreadyBecause } from '../broker/support/client.ts';
import { startConnectBlackhole } from '../helpers/connect-blackhole.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { ScriptedServer, scripts, startHttpServer } from '../helpers/scripted-server.ts';

/** What a busy machine may add. */
const graceMs = 120_000;
const maxLimitMs = 100_000;

/**
 * The error that `start` fails with; checks that it took the configured time. On a busy machine a short time may be over before a server
 * has shown what it is: then it is given more.
 */
async function failureToStart(
  servers: readonly string[],
  expected: RegExp,
  options: KafkaClientOptions = {},
  retriable = true,
): Promise<NoBrokersAvailable> {
  for (let limitMs = 2000; ; limitMs *= 4) {
    const began = performance.now();
    const started = KafkaClient.start({
      bootstrapServers: servers,
      apiVersionAutoTimeoutMs: limitMs,
      reconnectBackoffMaxMs: 100,
      ...options,
    });
    const error: unknown = await started.then(
      (client) => client.close(),
      (thrown: unknown) => thrown,
    );
    const tookMs = performance.now() - began;
    assert.ok(error instanceof Error, 'it started');
    if (limitMs < maxLimitMs && !expected.test(error.message)) continue;
    assert.match(error.message, expected);
    assert.ok(tookMs >= limitMs - 1, `gave up after ${tookMs} ms`);
    assert.ok(tookMs < limitMs + graceMs, `took ${tookMs} ms`);
    assert.ok(error instanceof NoBrokersAvailable, String(error));
    assert.equal(error.retriable, retriable);
    assert.match(error.message, new RegExp(`within ${limitMs} ms \\(apiVersionAutoTimeoutMs\\)`));
    return error;
  }
}

/** An address where nobody listens. */
async function refusingAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

describe('a bootstrap server', { concurrency: 6 }, () => {
  test('that refuses connections', async () => {
    const address = await refusingAddress();
    const error = await failureToStart([address], new RegExp(`${address}: .*ECONNREFUSED`));
    assert.match(String((error.cause as Error).message), /ECONNREFUSED/);
  });

  test('whose name does not exist', async () => {
    await failureToStart(['no-such-host.invalid:9092'], /no-such-host\.invalid:9092: .*(look-up.*failed|no answer)/);
  });

  test('that is a black hole', async (t) => {
    const hole = await startConnectBlackhole();
    t.after(() => hole.close());
    await failureToStart([hole.address], new RegExp(`${hole.address}: no answer to the connection attempt`));
  });

  test('that is a black hole, with a setup timeout below the limit', async (t) => {
    const hole = await startConnectBlackhole();
    t.after(() => hole.close());
    const says = /did not finish in time \(connectionSetupTimeoutMs\)/;
    await failureToStart([hole.address], says, { connectionSetupTimeoutMs: 50 });
  });

  test('that accepts and is silent', async (t) => {
    const server = await ScriptedServer.start(scripts.silent);
    t.after(() => server.close());
    await failureToStart([server.address], /did not finish in time/, { connectionSetupTimeoutMs: 100 });
  });

  test('that accepts and is silent longer than the time limit may not be a Kafka broker', async (t) => {
    const server = await ScriptedServer.start(scripts.silent);
    t.after(() => server.close());
    const error = await failureToStart(
      [server.address],
      /connected, but no answer to ApiVersions so far; it may expect TLS, .*max\.connections.*, or not be a Kafka/,
    );
    assert.deepEqual(
      error.causes.map(({ host, port }) => `${host}:${port}`),
      [server.address],
    );
  });

  test('whose name has an IPv6 and an IPv4 address, of which one is listened on', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const { port } = broker.nodes[0]!;
    // ::1 refuses, or is not there at all.
    const bootstrapServers = [`[::1]:${port}`, `localhost:${port}`];
    const client = await openClient(t, { bootstrapServers });
    await client.awaitReady(-2);
    await client.awaitReady(0);
  });

  test('in a list of which only the last can be reached', async (t) => {
    const hole = await startConnectBlackhole();
    const stranger = await ScriptedServer.start(scripts.echo);
    const silent = await ScriptedServer.start(scripts.silent);
    const broker = await startEmbeddedBroker();
    t.after(() => Promise.all([hole.close(), stranger.close(), silent.close(), broker.close()]));
    const others = [
      await refusingAddress(),
      hole.address,
      stranger.address,
      silent.address,
      'no-such-host.invalid:9092',
    ];
    // One that waited for another to be given up would come too late.
    const connectionSetupTimeoutMs = 2 * patient.apiVersionAutoTimeoutMs;
    const bootstrapServers = [...others, ...broker.bootstrapServers];
    const client = await openClient(t, { bootstrapServers, connectionSetupTimeoutMs });
    await client.awaitReady(0);
    assert.equal(client.cluster.brokers().length, 1);
  });

  test('that advertises unreachable addresses is named in the error of awaitReady', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const unreachable = await refusingAddress();
    const [host, port] = unreachable.split(':');
    await broker.control(Metadata, { body: { brokers: [{ nodeId: 7, host, port: Number(port) }] } });
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
    await unreadyBecause(client, 7, new RegExp(`${unreachable}.*ECONNREFUSED`));
  });

  // What answers, but not as a broker does, is not one at the next attempt either. The others may be brokers that are full.
  for (const [name, script, expected, retriable = false] of [
    ['closes at once', scripts.closeAtOnce, /closed the connection before it answered ApiVersions/, true],
    [
      'closes after the first request',
      scripts.closeAfterRequest,
      /may expect TLS, .*\(max\.connections\.per\.ip\), or not be a Kafka broker/,
      true,
    ],
    ['resets at once', scripts.resetAtOnce, /ECONNRESET|EPIPE|closed the connection/, true],
    ['answers with a TLS alert', scripts.tlsListener, /answers with a TLS alert.*expects TLS/],
    ['sends garbage', scripts.answerWith(Buffer.from('garbage, whatever it is')), /frame length 1734439522/],
    [
      'is an SSH server',
      scripts.send(Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')),
      /sends text \("SSH-" .*not a Kafka broker/,
    ],
    ['sends back what it is sent', scripts.echo, /sends back what it is sent, it is not a Kafka broker/, true],
    ['sends a negative length', scripts.answerWith(Buffer.from([0xff, 0xff, 0xff, 0xff])), /frame length -1/],
    ['sends a frame of 3 bytes', scripts.answerWith(Buffer.from([0, 0, 0, 3, 1, 2, 3])), /frame length 3/],
    [
      'sends another correlation id',
      scripts.answerWith(Buffer.from([0, 0, 0, 6, 0, 0, 0, 99, 0, 0])),
      /correlation id 99, expected 1/,
      true,
    ],
    ['sends half an answer', scripts.answerWith(Buffer.from([0, 0, 0, 6, 0, 0, 0, 1, 0, 0])), /ApiVersions/],
  ] as const) {
    test(`that ${name}`, async (t) => {
      const server = await ScriptedServer.start(script);
      t.after(() => server.close());
      const error = await failureToStart([server.address], expected, {}, retriable);
      assert.match(error.message, new RegExp(server.address));
    });
  }

  test('that is a web server', async (t) => {
    const server = await startHttpServer();
    t.after(() => server.close());
    const error = await failureToStart([server.address], /answers in HTTP/, {}, false);
    assert.match(error.message, /web server, not to a Kafka broker/);
  });

  test('among several that fail in different ways: the error names each', async (t) => {
    const http = await startHttpServer();
    t.after(() => http.close());
    const closing = await ScriptedServer.start(scripts.closeAfterRequest);
    t.after(() => closing.close());
    const refusing = await refusingAddress();
    const all = new RegExp(`${refusing}: .*ECONNREFUSED[^]*${http.address}: .*HTTP[^]*${closing.address}: .*before it`);
    const error = await failureToStart([refusing, http.address, closing.address], all);
    const lines = error.message.split('\n');
    assert.equal(lines.length, 4);
    assert.match(lines[0]!, /none of the 3 bootstrap servers/);
    assert.match(lines[1]!, new RegExp(`${refusing}: .*ECONNREFUSED`));
    assert.match(lines[2]!, new RegExp(`${http.address}: .*HTTP`));
    assert.match(lines[3]!, new RegExp(`${closing.address}: .*before it answered ApiVersions`));
  });

  test('that works is found in time behind servers that do not work', async (t) => {
    const hole = await startConnectBlackhole();
    t.after(() => hole.close());
    const http = await startHttpServer();
    t.after(() => http.close());
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const client = await openClient(t, {
      bootstrapServers: [hole.address, await refusingAddress(), http.address, ...broker.bootstrapServers],
      connectionSetupTimeoutMs: 2 * patient.apiVersionAutoTimeoutMs,
    });
    await client.awaitReady(0);
  });

  test('that starts late is found by another attempt', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    await broker.stopListener(0);
    const starting = openClient(t, {
      bootstrapServers: broker.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
      reconnectBackoffMs: 10,
      reconnectBackoffMaxMs: 50,
    });
    setImmediate(() => void broker.startListener(0));
    const client = await starting;
    await client.awaitReady(0);
  });

  test('that answers only an older version', async (t) => {
    const broker = await startEmbeddedBroker({ apiVersions: { 18: [0, 2] } });
    t.after(() => broker.close());
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
    assert.deepEqual(client.getApiVersions()!.get(18), { min: 0, max: 2 });
  });

  test('that cannot be used lets the process end by itself', { timeout: 300_000 }, async (t) => {
    const hole = await startConnectBlackhole();
    t.after(() => hole.close());
    const bootstrapServers = [hole.address, await refusingAddress(), 'no-such-host.invalid:9092'];
    const child = startChild(t, 'failing-start', {
      bootstrapServers,
      apiVersionAutoTimeoutMs: 5000,
      logLevel: 'silent',
    });
    const { exitCode, stdout, stderr } = await child.ended;
    assert.equal(stderr, '');
    assert.match(stdout, /^NoBrokersAvailable KAFKA_NO_BROKERS_AVAILABLE none of the 3 bootstrap servers/);
    assert.equal(exitCode, 0);
  });
});
