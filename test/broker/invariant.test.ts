// What is checked after every test finds each kind of leak, also in tests that pass, and names it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runnablePath } from '../../scripts/project.ts';
import { type FileResult, runFile } from '../../scripts/test-run/file-run.ts';
import { fileText } from '../../scripts/test-run/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'invariant-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const source = (path: string): string => JSON.stringify(pathToFileURL(runnablePath(path)).href);
const imports = `
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { connect, createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ApiVersions, KafkaClient } from ${source('src/index.ts')};
import { startEmbeddedBroker } from ${source('src/testing/embedded-broker.ts')};
import { InFlight } from ${source('src/main/link/in-flight.ts')};
import { LinkReader } from ${source('src/ring/link-reader.ts')};
import { Session } from ${source('src/main/client/session.ts')};
import { mustBeClosed } from ${source('test/helpers/invariant/open-things.ts')};
`;
/** A client that is connected to nothing. */
const lonely = `{ bootstrapServers: '127.0.0.1:1', apiVersion: [4, 0], logLevel: 'silent', closeTimeoutMs: 0, apiVersionAutoTimeoutMs: 60_000 }`;

let written = 0;

/** @param limitMs how long what is left is waited for */
async function run(body: string, limitMs = 60_000): Promise<FileResult> {
  written += 1;
  const script = join(folder, `${written}.mjs`);
  writeFileSync(script, `${imports}\n${body}\n`);
  const file = { path: `test/broker/${written}.test.ts`, folder: 'broker' };
  const signal = new AbortController().signal;
  const env = { INVARIANT_LIMIT_MS: String(limitMs) };
  return await runFile(file, script, {
    node: process.execPath,
    timeoutMs: 150_000,
    names: [],
    signal,
    env,
    onSlow: () => {},
    slowMs: 60_000,
  });
}

interface Leak {
  readonly what: string;
  /** The code of a test that passes by itself. */
  readonly body: string;
  readonly problem: RegExp;
  /** Code of the file that undoes it. */
  readonly cleanUp?: string;
}

const leaks: readonly Leak[] = [
  {
    what: 'a client',
    body: `left = await KafkaClient.start(${lonely});`,
    problem: /1 clients are not closed.*thread kafka-network is open/,
    cleanUp: 'left.close()',
  },
  {
    what: 'a thread',
    body: `left = new Worker('setInterval(() => {}, 1e6)', { eval: true });`,
    problem: /thread .* is open/,
    cleanUp: 'left.terminate()',
  },
  {
    what: 'a listening server',
    body: 'left = createServer(); await new Promise((resolve) => left.listen(0, resolve));',
    problem: /server at .*"port":\d+.* is open/,
    cleanUp: 'new Promise((resolve) => left.close(resolve))',
  },
  {
    what: 'a connection',
    body: `left = [];
      const server = createServer((socket) => { left.push(socket); server.close(); });
      await new Promise((resolve) => server.listen(0, resolve));
      await new Promise((resolve) => left.push(connect(server.address().port, resolve)));`,
    problem: /a Socket is open/,
    cleanUp: 'left.map((socket) => socket.destroy())',
  },
  {
    what: 'a process',
    body: `left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });`,
    problem: /process \d+ .* is open/,
    cleanUp: 'left.kill()',
  },
  {
    what: 'a message port',
    body: 'left = new MessageChannel();',
    problem: /a message port is open/,
    cleanUp: 'left.port1.close()',
  },
  {
    what: 'a thing of a helper',
    body: `left = mustBeClosed({}, 'a fake network');`,
    problem: /a fake network is open/,
    cleanUp: 'left()',
  },
  {
    what: 'a request that is never settled',
    body: `const { takeAll } = InFlight.prototype;
      const client = await connected();
      await broker.control(ApiVersions, { answer: 'never' }, { times: 1 });
      client.send(0, ApiVersions, {}).addErrback(() => {});
      InFlight.prototype.takeAll = () => [];
      await client.close();
      InFlight.prototype.takeAll = takeAll;`,
    problem: /requests: accepted 1, succeeded 0, failed 0, open 1/,
  },
  {
    what: 'a second answer to a request',
    body: `const { take } = InFlight.prototype;
      const client = await connected();
      InFlight.prototype.take = function (id) { take.call(this, id).future.success('first'); return undefined; };
      await client.send(0, ApiVersions, {});
      InFlight.prototype.take = take;
      left = client;`,
    problem: /1 answers to requests that were settled, but this thread settled 0/,
    cleanUp: 'left.close()',
  },
  {
    what: 'room in a ring that is not given back',
    body: `const { release } = LinkReader.prototype;
      left = await connected();
      LinkReader.prototype.release = () => {};
      await left.send(0, ApiVersions, {});
      LinkReader.prototype.release = release;`,
    problem: /\d+ bytes of the ring of responses are used/,
    cleanUp: 'left.close()',
  },
  {
    what: 'shared memory that outlives its client',
    body: `const { watch } = Session.prototype;
      Session.prototype.watch = function (client) { left = this.thread.end.counters.buffer; watch.call(this, client); };
      const client = await KafkaClient.start(${lonely});
      Session.prototype.watch = watch;
      await client.close();`,
    problem: /shared memory of clients that are gone: \d+ bytes/,
  },
];

describe('after a test', () => {
  test('a resource that is left open fails the test and is named', { timeout: 170_000 }, async () => {
    const tests = leaks.map(
      ({ what, body, cleanUp = '' }) => `
        describe(${JSON.stringify(`suite of ${what}`)}, () => {
          let left;
          after(async () => { await (async () => ${cleanUp === '' ? '{}' : cleanUp})(); left = undefined; });
          test(${JSON.stringify(what)}, async () => { ${body} });
        });`,
    );
    const result = await run(
      `let broker;
       before(async () => { broker = await startEmbeddedBroker(); });
       after(() => broker.close());
       async function connected() {
         const client = await KafkaClient.start({ bootstrapServers: broker.bootstrapServers, closeTimeoutMs: 0, apiVersionAutoTimeoutMs: 60_000 });
         await client.awaitReady(0);
         return client;
       }
       ${tests.join('\n')}`,
      500,
    );
    assert.equal(result.problem, null, fileText(result));
    assert.deepEqual(
      result.failed,
      leaks.map(({ what }) => `suite of ${what} > ${what}`),
    );
    for (const { what, problem } of leaks) {
      const own = result.failures.split('✖').find((text) => text.trimStart().startsWith(what));
      assert.match(own ?? '', problem, what);
    }
  });

  test('a resource that the test, a hook or another test closes later does not fail it', {
    timeout: 170_000,
  }, async () => {
    const result = await run(`
      let ofFile, ofSuite, ofTest;
      before(async () => { ofFile = await KafkaClient.start(${lonely}); });
      after(() => ofFile.close());
      test('late', async () => {
        const server = createServer();
        await new Promise((resolve) => server.listen(0, resolve));
        setImmediate(() => server.close());
        const client = await KafkaClient.start(${lonely});
        void client.close();
      });
      describe('suite', { concurrency: 3 }, () => {
        before(async () => { ofSuite = await KafkaClient.start(${lonely}); });
        after(() => ofSuite.close());
        for (const name of ['a', 'b', 'c']) {
          test(name, async (t) => { const client = await KafkaClient.start(${lonely}); t.after(() => client.close()); });
        }
      });
      describe('another', () => {
        beforeEach(async () => { ofTest = await KafkaClient.start(${lonely}); });
        afterEach(() => ofTest.close());
        test('inner', () => {});
      });
      test('outer', async (t) => {
        const client = await KafkaClient.start(${lonely});
        await t.test('closes', () => client.close());
      });`);
    assert.equal(result.hasFailed, false, fileText(result));
  });

  test('a resource that the hooks of a file leave open fails the file', { timeout: 170_000 }, async () => {
    const result = await run(
      `let left; before(() => { left = mustBeClosed({}, 'a fake network'); }); test('one', () => {});`,
      500,
    );
    assert.equal(result.hasFailed, true, fileText(result));
    assert.match(fileText(result), /a fake network is open/);
  });

  test('a rejection that nobody handles fails the file, even after its last test', { timeout: 170_000 }, async () => {
    const result = await run(`
      test('one', () => {});
      after(async () => { Promise.reject(new Error('nobody cares')); await new Promise(setImmediate); });`);
    assert.equal(result.hasFailed, true, fileText(result));
    assert.match(fileText(result), /nobody cares/);
  });
});
