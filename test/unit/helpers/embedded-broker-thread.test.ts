import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { Metadata } from '../../../src/protocol/flat/generated/apis.ts';
import {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startEmbeddedBroker,
  startEmbeddedBrokerInProcess,
} from '../../helpers/embedded-broker.ts';
import { decodeResponse, encodeRequest, RawClient } from '../../helpers/raw-client.ts';

const starts: readonly [string, (options: EmbeddedBrokerOptions) => Promise<EmbeddedBroker>][] = [
  ['in this thread', startEmbeddedBrokerInProcess],
  ['in a thread of its own', startEmbeddedBroker],
];

describe('an embedded broker that fails', () => {
  test('reports its error when it is closed, in a thread and without one', async () => {
    for (const [, start] of starts) {
      const broker = await start({});
      await broker.control(Metadata, { body: { nonsense: true } });
      const client = await RawClient.connect(broker.nodes[0]!.port);
      client.write(Metadata, 9, { topics: [] });
      assert.equal(await client.ended, null);
      await assert.rejects(broker.close(), /inside the embedded broker: .*nonsense/s);
    }
  });

  test('a rule that throws ends the connection, and its error is reported at the close', async () => {
    for (const [, start] of starts) {
      const broker = await start({});
      await broker.control(Metadata, () => {
        throw new Error('a broken rule');
      });
      const client = await RawClient.connect(broker.nodes[0]!.port);
      client.write(Metadata, 9, { topics: [] });
      assert.equal(await client.ended, null);
      await assert.rejects(broker.close(), /a broken rule/);
    }
  });

  test('a wrong option is an error of the start', async () => {
    for (const [, start] of starts) {
      await assert.rejects(start({ topics: { 'bad name': 1 } }), /bad topic name/);
      await assert.rejects(start({ nodes: [{ id: 1 }, { id: 1 }] }), /node 1 already/);
    }
  });

  test('actions on what does not exist are refused with their reason', async () => {
    for (const [, start] of starts) {
      const broker = await start({});
      await assert.rejects(broker.moveLeader('nowhere', 0, 0), /no partition nowhere-0/);
      await assert.rejects(broker.stopListener(5), /no node 5/);
      await assert.rejects(broker.ruleUses(99), /never a rule 99/);
      await broker.close();
      await broker.close();
    }
  });
});

test('the thread of an embedded broker does not hold the process', async () => {
  const url = new URL(
    `../../helpers/embedded-broker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
    import.meta.url,
  );
  const code = `import(${JSON.stringify(url.href)}).then((m) => m.startEmbeddedBroker()).then(() => console.log('started'))`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 300_000 });
  assert.deepEqual([run.status, run.stdout.trim()], [0, 'started']);
});

test('two embedded brokers live side by side, also in a worker of the test', async () => {
  const [one, two] = await Promise.all([startEmbeddedBroker(), startEmbeddedBroker()]);
  assert.notEqual(one.nodes[0]!.port, two.nodes[0]!.port);
  const url = new URL(
    `../../helpers/embedded-broker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
    import.meta.url,
  );
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(url.href)}).then(async (m) => {
      const broker = await m.startEmbeddedBroker();
      parentPort.postMessage(broker.bootstrapServers);
      await broker.close();
    });`;
  const worker = new Worker(code, { eval: true });
  const servers = await new Promise((resolve) => worker.once('message', resolve));
  assert.match(String(servers), /^127\.0\.0\.1:\d+$/);
  await Promise.all([one.close(), two.close()]);
});

describe('an embedded broker with TLS', () => {
  const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl cannot be run';
  let broker: EmbeddedBroker;
  let cert: string;

  before(async () => {
    if (skip !== false) return;
    const folder = mkdtempSync(join(tmpdir(), 'embedded-broker-tls-'));
    try {
      const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'cert')];
      const args =
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost'.split(' ');
      const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile];
      const made = spawnSync('openssl', [...args, ...files], { encoding: 'utf8' });
      assert.equal(made.status, 0, made.stderr);
      cert = readFileSync(certFile, 'utf8');
      broker = await startEmbeddedBroker({ tls: { key: readFileSync(keyFile, 'utf8'), cert } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  after(async () => {
    await broker?.close();
  });

  test('serves TLS clients and drops others', { skip }, async () => {
    const { port } = broker.nodes[0]!;
    const socket = connectTls({ port, host: '127.0.0.1', ca: cert });
    socket.write(encodeRequest(Metadata, 9, 5, null, { topics: [] }));
    const chunk = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    assert.equal(decodeResponse(Metadata, 9, 5, chunk.subarray(4)).brokers.at(0).port, port);
    socket.destroy();
    const plain = await RawClient.connect(port);
    plain.write(Metadata, 9, { topics: [] });
    await plain.ended;
    assert.equal((await broker.stats()).requests[3], 1);
  });
});
