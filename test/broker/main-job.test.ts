// The main job from outside: a process of its own, its exit code, its line of JSON, its messages.

import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fetch, ListOffsets, Produce } from '../../src/index.ts';
import type { ListOffsetsRequestView, ProduceRequestView } from '../../src/protocol/flat/generated/apis.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';

const entry = fileURLToPath(new URL('../../bench/main-job/index.js', import.meta.url));
const boundMs = 300_000;

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runJob(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const { KAFKA_BOOTSTRAP_SERVERS: _, ...env } = process.env;
  return new Promise((resolve) => {
    const options = { env: { ...env, ...environment }, timeout: boundMs, maxBuffer: 1 << 24 };
    execFile(process.execPath, [entry, ...args], options, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** The JSON line, which has to be the only output. */
function reportOf({ stdout, stderr }: Outcome): Record<string, unknown> {
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Files of every awkward kind, and what they amount to. */
function writeTexts(folder: string, smallFiles: number): { records: number; bytes: number } {
  const texts = new Map<string, string>([
    ['no-newline-at-the-end.txt', 'one\ntwo'],
    ['empty-lines.md', '\n\n\n'],
    ['windows.txt', 'carriage\r\nreturn\r\n'],
    ['utf8.json', '{"text": "Grüße, 世界, 🎉"}\n'],
  ]);
  for (let i = 0; i < smallFiles; i++) {
    texts.set(`many-${i}.js`, Array.from({ length: 500 }, (_, line) => `const value${line} = ${i * line};\n`).join(''));
  }
  let records = 0;
  let bytes = 0;
  for (const [name, text] of texts) {
    writeFileSync(join(folder, name), text);
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    records += lines.length;
    for (const line of lines) bytes += Buffer.byteLength(line) + 8;
  }
  writeFileSync(join(folder, 'empty.txt'), '');
  writeFileSync(join(folder, 'not-text.bin'), Buffer.alloc(1000, 255));
  return { records, bytes };
}

describe('the main job', () => {
  let folder: string;
  let texts: { records: number; bytes: number };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'main-job-test-'));
    texts = writeTexts(folder, 40);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test('brings every line of a folder back, with its own broker', async () => {
    const outcome = await runJob(['--json', '--input', folder]);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    const report = reportOf(outcome);
    assert.equal(report.ok, true);
    assert.equal(report.records, texts.records);
    assert.equal(report.megabytes, Number((texts.bytes / 1e6).toFixed(3)));
    assert.equal(report.requestsTimedOut, 0);
    assert.equal(report.requestsDisconnected, 0);
    assert.ok((report.words as number) > texts.records);
  });

  test('ends with a table for people, and shows its progress beside it', async () => {
    const outcome = await runJob(['--input', folder, '--repeat', '2', '--partitions', '3']);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    assert.match(outcome.stdout, new RegExp(`records +${(texts.records * 2).toLocaleString('en')} in 3 partitions`));
    assert.match(outcome.stdout, /every line back once, in order +yes/);
    assert.match(outcome.stderr, /^produce +100 %/m);
    assert.match(outcome.stderr, /^fetch +100 %/m);
  });

  test('cuts a line that is longer than a batch, and the pieces join to the same line', async () => {
    const file = join(folder, 'long.bin');
    // The third line is exactly as long as a batch.
    writeFileSync(file, `short\n${'x'.repeat(1_000_000)}\n${'y'.repeat(256 * 1024)}\nend`);
    const report = reportOf(await runJob(['--json', '--input', file]));
    rmSync(file);
    assert.equal(report.ok, true);
    assert.equal(report.records, 4 + (report.splitLines as number));
    assert.ok((report.splitLines as number) >= 4);
  });

  test('a blocked main thread costs neither a request nor a connection, however short the request timeout', async () => {
    const args = ['--json', '--input', folder, '--repeat', '60', '--block-ms', '9000', '--request-timeout-ms', '4000'];
    const outcome = await runJob(args);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    const report = reportOf(outcome);
    assert.equal(report.ok, true);
    assert.equal(report.requestsTimedOut, 0);
    assert.equal(report.requestsDisconnected, 0);
    const [beforeMegabytes, afterMegabytes] = report.blockedRssMegabytes as [number, number];
    // What may arrive meanwhile: one fetch of 1 MiB for each of 6 partitions, some times over on its way.
    assert.ok(afterMegabytes - beforeMegabytes < 100, `${beforeMegabytes} MB, then ${afterMegabytes} MB`);
  });

  const wrongArguments: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--input', '/does/not/exist'], /cannot read --input.*ENOENT/],
    [['--frobnicate'], /unknown option '--frobnicate'[\s\S]*--input PATH/],
    [['--partitions', '0'], /--partitions must be an integer from 1 to 100, not '0'/],
    [['--block-ms', 'long'], /--block-ms must be an integer/],
  ];
  for (const [args, message] of wrongArguments) {
    test(`${args.join(' ')} fails with a message`, async () => {
      const { exitCode, stdout, stderr } = await runJob(args);
      assert.equal(exitCode, 1);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  test('a folder without text fails with a message', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'main-job-test-'));
    const outcome = await runJob(['--json', '--input', empty]);
    rmSync(empty, { recursive: true });
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /no text in/);
    assert.equal(reportOf(outcome).ok, false);
  });

  test('brokers that cannot be reached fail with the cause for each broker', async () => {
    const environment = { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1,host.invalid:9092' };
    const outcome = await runJob(['--input', folder], environment);
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /NoBrokersAvailable/);
    assert.match(outcome.stderr, /127\.0\.0\.1:1: .*ECONNREFUSED/);
    assert.match(outcome.stderr, /host\.invalid:9092: .*look-up/);
  });
});

describe('the main job with a broker that misbehaves', () => {
  let broker: EmbeddedBroker;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'main-job-test-'));
    writeTexts(folder, 150);
    broker = await startEmbeddedBroker({ nodes: 3 });
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  });

  const run = (...args: readonly string[]) => {
    const environment = { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') };
    return runJob(['--json', '--input', folder, ...args], environment);
  };

  const notLeader = 6;
  const faults: readonly (readonly [what: string, arrange: () => Promise<unknown>])[] = [
    [
      'batches that were appended but never acknowledged',
      () => broker.control(Produce, { wire: { cutAfter: 0, ending: 'reset' } }, { skip: 2, times: 2 }),
    ],
    [
      'batches whose connection ends before they are appended',
      () => broker.control(Produce, { answer: 'reset' }, { skip: 2, times: 2 }),
    ],
    [
      'batches refused by a node that says it is not the leader',
      () => broker.control(Produce, { errorCode: notLeader }, { skip: 1, times: 3 }),
    ],
    [
      'fetches whose answers are cut off',
      () => broker.control(Fetch, { wire: { cutAfter: 1000, ending: 'close' } }, { skip: 2, times: 2 }),
    ],
    [
      'fetched bytes that were corrupted on the way',
      () => broker.control(Fetch, { wire: { corrupt: { offset: 5000 } } }, { skip: 2, times: 2 }),
    ],
    ['fetches refused', () => broker.control(Fetch, { errorCode: notLeader }, { skip: 1, times: 3 })],
  ];
  for (const [what, arrange] of faults) {
    test(`loses no line and doubles no line: ${what}`, async () => {
      await arrange();
      const outcome = await run();
      await broker.clearRules();
      assert.equal(outcome.exitCode, 0, outcome.stderr);
      const report = reportOf(outcome);
      assert.equal(report.ok, true);
      assert.ok((report.requestsRetried as number) + (report.recordsRetried as number) >= 2, outcome.stdout);
    });
  }

  test('notices a record that another program wrote', async () => {
    let isWritten = false;
    // The ends are asked for, one after another, when everything has been fetched.
    await broker.control<ListOffsetsRequestView>(ListOffsets, async ({ body }) => {
      const { name } = body.topics.at(0);
      if (!isWritten) await broker.append(name, 5, [{ value: 'intruder' }]);
      isWritten = true;
      return undefined;
    });
    const outcome = await run();
    await broker.clearRules();
    assert.equal(outcome.exitCode, 1);
    const report = reportOf(outcome);
    assert.equal(report.ok, false);
    assert.match(String(report.problems), /partition 5: \d+ records produced, but it ends at offset \d+/);
  });

  /** Acknowledges the batches of the first request without having them. */
  async function loseFirstBatch(): Promise<void> {
    let isLost = false;
    await broker.control<ProduceRequestView>(Produce, ({ body }) => {
      if (isLost) return undefined;
      isLost = true;
      const { name, topicId, partitionData } = body.topicData.at(0);
      const partitionResponses = [...partitionData].map(({ index }) => ({ index, errorCode: 0, baseOffset: 0 }));
      return { body: { responses: [{ name, topicId, partitionResponses }] } };
    });
  }

  test('notices a batch that disappears while it writes the next one', async () => {
    await loseFirstBatch();
    const outcome = await run('--partitions', '1');
    await broker.clearRules();
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /partition 0: .* went to offset 0, expected \d+: records were lost/);
  });

  test('notices a batch that disappears while it reads', async () => {
    await loseFirstBatch();
    const outcome = await run('--partitions', '100');
    await broker.clearRules();
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, /ends at offset 0, although \d+ records were acknowledged: records were lost/);
  });
});
