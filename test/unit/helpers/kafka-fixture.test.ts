import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ScriptedServer, scripts } from '../../helpers/scripted-server.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { ManagedProcess } from '../../kafka/fixture/managed-process.ts';
import { answers, freePorts, loopback } from '../../kafka/fixture/ports.ts';
import { type BrokerPlace, brokerProperties, propertiesFile } from '../../kafka/fixture/properties.ts';
import { compareVersions, kafkaVersion } from '../../kafka/fixture/versions.ts';

const folder = mkdtempSync(join(tmpdir(), 'fixture-test-'));
const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const fixtureUrl = (file: string): string => new URL(`../../kafka/fixture/${file}${suffix}`, import.meta.url).href;

after(() => rmSync(folder, { recursive: true, force: true }));

describe('versions', () => {
  test('are compared part by part', () => {
    assert.ok(compareVersions('0.10.2.2', '0.9.0.1') > 0);
    assert.ok(compareVersions('3.9.1', '4.0') < 0);
    assert.equal(compareVersions('4.0', '4.0.0'), 0);
  });

  test('tell how a broker is fetched and started', () => {
    const summary = (text?: string) => {
      const { scala, profiles, mode } = kafkaVersion(text);
      return [scala, profiles.join(), mode];
    };
    assert.deepEqual(summary(), ['2.13', 'log4j2', 'kraft']);
    assert.deepEqual(summary('3.9.1'), ['2.13', 'log4j1', 'kraft']);
    assert.deepEqual(summary('3.3.2'), ['2.13', 'log4j1', 'kraft']);
    assert.deepEqual(summary('2.8.2'), ['2.13', 'log4j1', 'zookeeper']);
    assert.deepEqual(summary('2.0.1'), ['2.12', 'log4j1,zk-3.4.12', 'zookeeper']);
    assert.deepEqual(summary('0.8.2.2'), ['2.11', 'log4j1', 'zookeeper']);
    for (const bad of ['0.7.2', '4', 'latest', '4.3.0; rm']) assert.throws(() => kafkaVersion(bad), /expected/);
  });
});

describe('properties', () => {
  const place = (nodeId: number): BrokerPlace => ({
    nodeId,
    host: loopback,
    port: 1000 + nodeId,
    controllerPort: 2000 + nodeId,
    extraPorts: [],
    folder: '/f',
  });

  test('of one broker and of a cluster name all controllers', () => {
    const places = [place(1), place(2), place(3)];
    const of = (all: BrokerPlace[]) =>
      brokerProperties(kafkaVersion(), place(1), all, ({ host, port }) => ({ host, port: port + 5 }));
    assert.equal(of([place(1)])['controller.quorum.voters'], '1@127.0.0.1:2001');
    assert.equal(of(places)['controller.quorum.voters'], '1@127.0.0.1:2001,2@127.0.0.1:2002,3@127.0.0.1:2003');
    assert.equal(of(places)['offsets.topic.replication.factor'], 3);
    assert.equal(of(places)['advertised.listeners'], 'PLAINTEXT://127.0.0.1:1006');
  });

  test('leave out what a version does not know', () => {
    const of = (version: string) => brokerProperties(kafkaVersion(version), place(1), [place(1)], (self) => self);
    assert.equal(of('0.8.2.2').listeners, undefined);
    assert.equal(of('0.8.2.2').port, 1001);
    assert.equal(of('0.10.2.2')['transaction.state.log.min.isr'], undefined);
    assert.equal(of('0.11.0.3')['transaction.state.log.min.isr'], 1);
    assert.equal(of('3.9.1')['share.coordinator.state.topic.min.isr'], undefined);
    assert.equal(of('4.0.0')['share.coordinator.state.topic.min.isr'], 1);
  });

  test('are written as Java reads them', () => {
    const text = propertiesFile({ 'a.b': 'c\\d=e:f', 'key with space': true, n: 5 });
    assert.equal(text, 'a.b=c\\\\d=e:f\nkey\\ with\\ space=true\nn=5\n');
  });
});

describe('ports', () => {
  test('are free and distinct, and answer once somebody listens', async () => {
    const ports = await freePorts(20);
    assert.equal(new Set(ports).size, 20);
    assert.equal(await answers(loopback, ports[0]!), false);
    const server = await ScriptedServer.start(scripts.silent);
    assert.equal(await answers(server.host, server.port), true);
    await server.close();
  });
});

describe('managed processes', () => {
  const node = (name: string, code: string): ManagedProcess =>
    new ManagedProcess({ name, command: process.execPath, args: ['-e', code], logFile: join(folder, `${name}.log`) });

  test('are awaited by a condition and stopped', async () => {
    const running = node('good', "console.log('ready'); setInterval(() => {}, 1000)");
    await running.waitUntil(() => running.hasLogged('ready'), 'ready', 30_000);
    assert.equal(running.isRunning, true);
    await running.stop();
    await running.stop();
    assert.equal(running.isRunning, false);
    assert.equal(running.kill('SIGKILL'), false);
  });

  test('that end early fail with their log', async () => {
    const failing = node('early', "console.error('the reason'); process.exitCode = 3");
    await assert.rejects(
      failing.waitUntil(() => false, 'ready', 30_000),
      /^Error: early ended \(exit code 3\) before it was ready; the end of its log:\nthe reason/,
    );
  });

  test('that never get ready fail in bounded time, and can still be stopped', async () => {
    const slow = node('slow', 'setInterval(() => {}, 1000)');
    await assert.rejects(
      slow.waitUntil(() => false, 'ready', 1),
      /slow was not ready after 1 ms/,
    );
    await slow.stop();
  });

  test('that ignore SIGTERM are killed', async () => {
    const stubborn = node(
      'stubborn',
      "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)",
    );
    await stubborn.waitUntil(() => stubborn.hasLogged('deaf'), 'deaf', 30_000);
    await stubborn.stop(1);
    assert.equal(stubborn.isRunning, false);
  });

  test('that do not exist give an error with their name', async () => {
    const missing = new ManagedProcess({
      name: 'missing',
      command: process.platform === 'linux' ? '/no/such/command' : 'no-such-command',
      args: [],
      logFile: join(folder, 'missing.log'),
    });
    await assert.rejects(missing.waitForSuccess(30_000), /missing failed/);
  });

  test('a successor on the same log is not taken for its predecessor', async () => {
    const first = node('twice', "console.log('ready')");
    await first.waitForSuccess(30_000);
    const second = node('twice', "console.log('again')");
    await second.waitForSuccess(30_000);
    assert.equal(second.hasLogged('ready'), false);
    assert.match(second.log(), /ready\nagain/);
  });

  for (const ending of ['exit', 'throw', 'SIGTERM', 'SIGKILL'] as const) {
    const skip = ending === 'SIGKILL' && process.platform !== 'linux' ? 'only Linux tells children' : false;
    test(`end with the process that started them: ${ending}`, { skip }, async () => {
      const pidFile = join(folder, `${ending}.pid`);
      const script = join(folder, `${ending}.mjs`);
      writeFileSync(
        script,
        `import { writeFileSync } from 'node:fs';
         import { ManagedProcess } from ${JSON.stringify(fixtureUrl('managed-process'))};
         const child = new ManagedProcess({ name: 'c', command: process.execPath,
           args: ['-e', "console.log('up'); setInterval(() => {}, 1000)"], logFile: ${JSON.stringify(join(folder, `${ending}.log`))} });
         await child.waitUntil(() => child.hasLogged('up'), 'up', 30000);
         writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
         const ending = ${JSON.stringify(ending)};
         if (ending === 'throw') throw new Error('on purpose');
         if (ending !== 'exit') process.kill(process.pid, ending);`,
      );
      const parent = spawn(process.execPath, [script], { stdio: 'ignore' });
      await new Promise((resolve) => parent.once('exit', resolve));
      const pid = Number(readFileSync(pidFile, 'utf8'));
      await waitFor('the child to be gone', () => !isAlive(pid));
    });
  }
});

describe('suites on real brokers', () => {
  function run(environment: Record<string, string>): { status: number | null; stdout: string } {
    const script = join(folder, 'suite.mjs');
    writeFileSync(
      script,
      `import { test } from 'node:test';
       import { describeKafka } from ${JSON.stringify(fixtureUrl('describe-kafka'))};
       describeKafka('a suite', () => { test('inside', () => {}); });`,
    );
    const { status, stdout } = spawnSync(process.execPath, ['--test-reporter=tap', script], {
      encoding: 'utf8',
      // No PATH: neither java nor mvn is found. NODE_TEST_CONTEXT would make the child report to this runner.
      env: { PATH: folder, ...environment },
    });
    return { status, stdout };
  }

  test('are skipped with the reason if there is no broker', () => {
    const { status, stdout } = run({});
    assert.equal(status, 0);
    assert.match(stdout, /a suite # SKIP no real Kafka broker: java cannot be run/);
    assert.match(stdout, /skipped 1/);
  });

  test('fail if a broker is required', () => {
    const { status, stdout } = run({ REQUIRE_KAFKA: '1' });
    assert.equal(status, 1);
    assert.match(stdout, /REQUIRE_KAFKA is set, but there is no real Kafka broker: java cannot be run/);
  });

  test('use brokers that were started by somebody else', () => {
    const { status, stdout } = run({ KAFKA_BOOTSTRAP_SERVERS: 'somewhere.example:9092' });
    assert.equal(status, 0);
    assert.match(stdout, /ok 1 - inside/);
  });
});

function isAlive(pid: number): boolean {
  // A zombie whose parent is gone belongs to init, which may take its time, or to nobody in a container.
  const status = `/proc/${pid}/stat`;
  if (process.platform === 'linux') return existsSync(status) && !/\) Z /.test(readFileSync(status, 'utf8'));
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
