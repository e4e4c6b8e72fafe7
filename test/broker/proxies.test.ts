// Connections through proxies: HTTP CONNECT by a helper, SOCKS 5 by the real microsocks and by scripts with faults.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import {
  Fetch,
  KafkaClient,
  type KafkaClientError,
  type KafkaClientOptions,
  KafkaConnectionError,
  Metadata,
  Produce,
} from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { ConnectProxy, type ConnectProxyOptions } from '../helpers/connect-proxy.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { microsocksProblem, startMicrosocks } from '../helpers/microsocks.ts';
import { patient } from '../helpers/patience.ts';
import { type Script, ScriptedServer, scripts } from '../helpers/scripted-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { failedStart, openConnected } from './support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from './support/requests.ts';

let broker: EmbeddedBroker;

before(async () => {
  broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: 1 } });
});

after(() => broker.close());

/** More than a connection may hold undecoded. */
async function checkRecords(client: KafkaClient): Promise<void> {
  const values = Array.from({ length: 300 }, (_, i) => Buffer.alloc(3000, i));
  const leader = client.cluster.leaderForPartition({ topic: 'logs', partition: 0 }) ?? 0;
  const records = values.map((value) => ({ value }));
  const written = await client.send(leader, Produce, produceRequest('logs', records), byName);
  const offset = written.responses.at(0).partitionResponses.at(0).baseOffset;
  const response = await client.send(leader, Fetch, fetchRequest('logs', { offset }), byName);
  assert.deepEqual(
    [...fetchedRecords(response)].map(({ value }) => Buffer.from(value!)),
    values,
  );
}

async function failure(options: KafkaClientOptions): Promise<KafkaClientError> {
  const error = await failedStart(options, 1500);
  assert.doesNotMatch(inspect(error, { depth: 10 }), /hush/);
  const cause = error.causes[0]!.error;
  assert.ok(cause instanceof KafkaConnectionError, String(cause));
  return cause;
}

describe('through an HTTP proxy', () => {
  async function start(t: TestContext, options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const proxy = await ConnectProxy.start(options);
    t.after(() => proxy.close());
    return proxy;
  }

  test('requests reach every node, also the nodes that metadata names', async (t) => {
    const proxy = await start(t, { login: 'al ice:hush:hush' });
    const client = await openConnected(t, broker, { proxyUrl: `http://al%20ice:hush%3Ahush@${proxy.address}` });
    await checkRecords(client);
    assert.deepEqual(new Set(proxy.asked), new Set(broker.nodes.map(({ host, port }) => `${host}:${port}`)));
    assert.doesNotMatch(inspect(client, { depth: 10, showHidden: true }) + JSON.stringify(client.config), /hush/);
  });

  test('host names are resolved by the proxy', async (t) => {
    const proxy = await start(t, { names: { 'only.known.there': '127.0.0.1' } });
    const bootstrapServers = `only.known.there:${broker.nodes[0]!.port}`;
    const client = await KafkaClient.start({ ...patient, bootstrapServers, proxyUrl: `http://${proxy.address}` });
    t.after(() => client.close());
    assert.equal(proxy.asked[0], bootstrapServers);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version} inside: the certificate is checked for the name of the broker`, async (t) => {
      const ca = new CertificateAuthority('tests');
      t.after(() => ca.close());
      const tls = {
        ...ca.issue({ names: ['DNS:only.known.there', 'IP:127.0.0.1'] }),
        minVersion: version,
        maxVersion: version,
      };
      const secure = await startEmbeddedBroker({ topics: { logs: 1 }, tls });
      t.after(() => secure.close());
      const proxy = await start(t, { names: { 'only.known.there': '127.0.0.1', 'other.name': '127.0.0.1' } });
      const at = (name: string): KafkaClientOptions => ({
        bootstrapServers: `${name}:${secure.nodes[0]!.port}`,
        securityProtocol: 'SSL',
        sslCaFile: ca.file('trusted.pem', ca.cert),
        proxyUrl: `http://${proxy.address}`,
      });
      const client = await openConnected(t, secure, at('only.known.there'));
      await checkRecords(client);
      assert.match((await failure(at('other.name'))).message, /ALTNAME_INVALID/);
    });
  }

  test('connections end when the proxy dies, and come back with it', async (t) => {
    const proxy = await start(t);
    const client = await openConnected(t, broker, { proxyUrl: `http://${proxy.address}` });
    const before = proxy.asked.length;
    proxy.dropAll();
    await waitFor('a new connection', () => proxy.asked.length > before);
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });

  test('a wrong login, no login, a closed port, an unknown name and a proxy that is down have errors of their own', async (t) => {
    const open = await start(t);
    const closed = await start(t, { login: 'alice:hush' });
    const cases: [proxy: string, server: string, RegExp][] = [
      [`alice:hushed@${closed.address}`, broker.bootstrapServers[0]!, /wants a login.*HTTP 407/],
      [closed.address, broker.bootstrapServers[0]!, /wants a login.*HTTP 407/],
      [open.address, '127.0.0.1:1', /could not connect to 127\.0\.0\.1:1: HTTP 502 Bad Gateway/],
      [open.address, 'no.such.name.invalid:9092', /could not connect to no\.such\.name\.invalid:9092: HTTP 502/],
      ['127.0.0.1:1', broker.bootstrapServers[0]!, /proxy http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/],
      ['no.such.proxy.invalid:80', broker.bootstrapServers[0]!, /cannot be reached: .*(ENOTFOUND|EAI_AGAIN)/],
    ];
    for (const [proxy, bootstrapServers, text] of cases) {
      assert.match((await failure({ bootstrapServers, proxyUrl: `http://${proxy}` })).message, text);
    }
  });
});

const socksMethod = Buffer.from([5, 0]);
const greet = async (connection: Parameters<Script>[0]): Promise<void> => {
  await connection.read(3);
  connection.write(socksMethod);
  await connection.read(10);
};

describe('a proxy that misbehaves', { concurrency: 4 }, () => {
  const cases: [name: string, scheme: string, Script, RegExp][] = [
    ['closes at once', 'socks5', scripts.closeAtOnce, /closed the connection before it had answered/],
    ['closes at once', 'http', scripts.closeAtOnce, /closed the connection before it had answered|ECONNRESET/],
    ['is silent', 'socks5', scripts.silent, /connectionSetupTimeoutMs.*the proxy socks5:\/\/\S+ did not answer/],
    ['is silent', 'http', scripts.silent, /connectionSetupTimeoutMs.*the proxy http:\/\/\S+ did not answer/],
    [
      'answers garbage',
      'socks5',
      scripts.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /does not answer like a SOCKS 5 server/,
    ],
    ['answers garbage', 'http', scripts.send(Buffer.from([5, 0, 5, 0])), /does not answer in HTTP/],
    [
      'answers without end',
      'http',
      scripts.send(Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)),
      /does not answer in HTTP: .*overflow/i,
    ],
    ['wants a login that is not there', 'socks5', scripts.send(Buffer.from([5, 255])), /wants a login/],
    [
      'knows other logins only',
      'socks5',
      scripts.send(Buffer.from([5, 1])),
      /wants a login|does not answer like a SOCKS 5/,
    ],
    [
      'forbids',
      'socks5',
      async (c) => {
        await greet(c);
        c.write(Buffer.from([5, 2, 0, 1, 0, 0, 0, 0, 0, 0]));
      },
      /could not connect to 127\.0\.0\.1:9: its rules do not allow it/,
    ],
    [
      'fails for no reason',
      'socks5',
      async (c) => {
        await greet(c);
        c.write(Buffer.from([5, 99, 0, 1, 0, 0, 0, 0, 0, 0]));
      },
      /SOCKS 5 does not define/,
    ],
    [
      'half an answer',
      'socks5',
      async (c) => {
        await greet(c);
        c.write(Buffer.from([5, 0, 0, 1]));
        c.end();
      },
      /closed the connection before it had answered/,
    ],
    [
      'speaks for the broker',
      'http',
      scripts.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello')),
      /sent 5 bytes before any request was sent/,
    ],
  ];
  for (const [name, scheme, script, text] of cases) {
    test(`${scheme}: ${name}`, async (t) => {
      const server = await ScriptedServer.start(script);
      t.after(() => server.close());
      const proxyUrl = `${scheme}://${server.address}`;
      const limit = name === 'is silent' ? { connectionSetupTimeoutMs: 400 } : {};
      const error = await failure({ bootstrapServers: '127.0.0.1:9', proxyUrl, ...limit });
      assert.match(error.message, text);
    });
  }

  test('a host name that SOCKS 5 cannot carry is an error of that node only', async () => {
    const error = await failure({ bootstrapServers: `${'x'.repeat(300)}:9092`, proxyUrl: 'socks5h://127.0.0.1:1' });
    assert.match(error.message, /more than 255 bytes cannot go through SOCKS 5/);
  });
});

const problem = microsocksProblem();
const isRequired = (process.env.REQUIRE_KAFKA ?? '') !== '';

describe('through microsocks', { skip: problem !== null && !isRequired ? problem : false }, () => {
  test('requests reach every node, with names resolved here or by the proxy', async (t) => {
    const proxy = await startMicrosocks();
    t.after(() => proxy.close());
    for (const scheme of ['socks5', 'socks5h']) {
      const bootstrapServers = `localhost:${broker.nodes[0]!.port}`;
      const client = await openConnected(t, broker, { bootstrapServers, proxyUrl: `${scheme}://${proxy.address}` });
      await checkRecords(client);
    }
  });

  test('requests pass with user and password, and with TLS inside', async (t) => {
    const proxy = await startMicrosocks({ user: 'alice', password: 'hush' });
    t.after(() => proxy.close());
    const ca = new CertificateAuthority('tests');
    t.after(() => ca.close());
    const secure = await startEmbeddedBroker({ topics: { logs: 1 }, tls: ca.issue() });
    t.after(() => secure.close());
    const client = await openConnected(t, secure, {
      proxyUrl: `socks5h://alice:hush@${proxy.address}`,
      securityProtocol: 'SSL',
      sslCaFile: ca.file('trusted.pem', ca.cert),
    });
    await checkRecords(client);
  });

  test('a wrong password, no password, a closed port, an unknown name and a proxy that is down have errors of their own', async (t) => {
    const open = await startMicrosocks();
    t.after(() => open.close());
    const closed = await startMicrosocks({ user: 'alice', password: 'hush' });
    t.after(() => closed.close());
    const cases: [proxy: string, server: string, RegExp][] = [
      [
        `socks5://alice:hushed@${closed.address}`,
        broker.bootstrapServers[0]!,
        /refused the user and password of proxyUrl|closed/,
      ],
      [`socks5://${closed.address}`, broker.bootstrapServers[0]!, /wants a login/],
      [`socks5://${open.address}`, '127.0.0.1:1', /could not connect to 127\.0\.0\.1:1: connection refused/],
      [`socks5h://${open.address}`, 'no.such.name.invalid:9092', /could not connect to no\.such\.name\.invalid:9092: /],
      [`socks5://${open.address}`, 'no.such.name.invalid:9092', /name look-up of 'no\.such\.name\.invalid' failed/],
      [
        'socks5://127.0.0.1:1',
        broker.bootstrapServers[0]!,
        /proxy socks5:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
      ],
    ];
    for (const [proxyUrl, bootstrapServers, text] of cases) {
      assert.match((await failure({ bootstrapServers, proxyUrl })).message, text);
    }
  });
});
