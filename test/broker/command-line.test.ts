// The command line as a process of its own: what it says of what is wrong, how it ends, what it does with pipes and signals.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closedPort } from '../../scripts/consumer.ts';
import { runCommandLine, startCommandLine } from '../helpers/command-line.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Empty once the process has ended. */
function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
  } catch {
    return [];
  }
}

const commands = [
  'metadata',
  'versions',
  'topics',
  'offsets',
  'groups',
  'produce',
  'consume',
  'request',
  'configs',
  'acls',
  'bench',
];

describe('the command line without a broker', () => {
  test('--version', async () => {
    const { exitCode, stdout } = await runCommandLine(['--version']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^offthread-kafka \d+\.\d+\.\d+\n$/);
  });

  test('--help whose reader has gone is no error', async () => {
    const running = startCommandLine(['--help']);
    running.child.stdout.destroy();
    const ended = await running.ended;
    assert.equal(ended.stderr, '');
    assert.equal(ended.exitCode, 0);
  });

  test('--help of each command, with an example', async () => {
    const help = await runCommandLine(['--help']);
    assert.equal(help.exitCode, 0);
    for (const name of commands) {
      assert.match(help.stdout, new RegExp(`^  ${name} `, 'm'));
      const { exitCode, stdout } = await runCommandLine([name, '--help']);
      assert.equal(exitCode, 0);
      assert.match(stdout, /^Examples?:\n {2}.*offthread-kafka/m, name);
      assert.match(stdout, /--bootstrap-server/);
    }
  });

  const wrong: readonly (readonly [args: readonly string[], exitCode: number, message: RegExp])[] = [
    [['topic', '--list'], 2, /unknown command 'topic'\n\(Did you mean topics\?\)/],
    [['topics', '--lst'], 2, /unknown option '--lst'\n\(Did you mean --list\?\)/],
    [['topics'], 2, /give one of --list, --describe/],
    [['topics', '--list', '--create'], 2, /give only one of --list, --create/],
    [['topics', '--create'], 2, /--create needs --topic/],
    [['topics', '--list'], 2, /--bootstrap-server HOST:PORT/],
    [['topics', '--list', '--timeout', 'soon'], 2, /integer/],
    [['request', 'Metdata', '{}'], 2, /did you mean Metadata\?/],
    [['request', 'Metadata', '{"topics":[}'], 6, /line 1, column 12/],
    [['request', 'Metadata', '[]'], 6, /must be a JSON object/],
    [['consume', '--topic', 't', '--format', '%x'], 2, /there is no %x/],
    [['groups', '--reset-offsets', '--to-latest'], 2, /--group ID/],
    [
      ['acls', '--add', '--allow-principal', 'User:a', '--topic', 't', '--operation', 'wriet'],
      2,
      /did you mean write\?/,
    ],
    [['configs', '--describe', '--entity-type', 'topic'], 2, /--entity-type must be one of topics/],
    [['topics', '--list', '--command-config', '/does/not/exist'], 2, /ENOENT/],
    [['produce', '--topic', 't', '--input', '/does/not/exist'], 2, /ENOENT/],
  ];
  for (const [args, exitCode, message] of wrong) {
    test(`${args.join(' ')} ends with ${exitCode}`, async () => {
      const ended = await runCommandLine(args);
      assert.match(ended.stderr, message);
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.equal(ended.stdout, '');
    });
  }

  test('a broker that is down gives an error with the cause and an exit code of its own', async () => {
    const port = await closedPort();
    const ended = await runCommandLine(['metadata', '--bootstrap-server', `127.0.0.1:${port}`, '--timeout', '5000']);
    assert.equal(ended.exitCode, 3);
    assert.match(ended.stderr, /ECONNREFUSED/);
    assert.ok(!ended.stderr.includes('    at '), 'no stack');
  });
});

describe('the command line at a broker', () => {
  let broker: EmbeddedBroker;
  let environment: Record<string, string>;

  before(async () => {
    broker = await startEmbeddedBroker({
      topics: { lines: 1, files: 1, piped: 1, pipedJson: 1, pipedToEnd: 1 },
      autoCreateTopics: false,
    });
    environment = { KAFKA_BOOTSTRAP_SERVERS: [broker.bootstrapServers].flat().join(',') };
  });

  after(async () => {
    await broker.close();
  });

  const run = (args: readonly string[], input = '') => runCommandLine(args, { input, environment });

  test('bad JSON gives an error with line and column; the records before it are sent and counted', async () => {
    const ended = await run(
      ['produce', '--topic', 'lines', '--json'],
      '{"value":"a"}\n{"value":"b"}\n{"value":}\n{"value":"c"}\n',
    );
    assert.equal(ended.exitCode, 6);
    assert.match(ended.stderr, /^2 records acknowledged, 0 failed$/m);
    assert.match(ended.stderr, /line 3, column 10/);
    const read = await run(['consume', '--topic', 'lines', '--from-beginning', '--exit']);
    assert.deepEqual(read.lines, ['a', 'b']);
  });

  test('lines of a file are sent as they are, with line ends of both kinds, as lines of a pipe are', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-produce-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'lines.txt');
    const text = 'one\r\ntwo\n\nfour\rfour\nlast';
    writeFileSync(file, text);
    const fromFile = await run(['produce', '--topic', 'files', '--input', file]);
    assert.match(fromFile.stderr, /^5 records acknowledged, 0 failed$/m);
    assert.equal((await run(['produce', '--topic', 'files'], text)).exitCode, 0);
    const read = await run(['consume', '--topic', 'files', '--from-beginning', '--exit', '--json']);
    const values = read.lines.map((line) => (JSON.parse(line) as { value: string }).value);
    const lines = ['one', 'two', '', 'four\rfour', 'last'];
    assert.deepEqual(values, [...lines, ...lines]);
  });

  test('a topic that does not exist has an exit code of its own', async () => {
    for (const command of ['produce', 'consume', 'metadata']) {
      const ended = await run([command, '--topic', 'none']);
      assert.equal(ended.exitCode, 5, ended.stderr);
      assert.match(ended.stderr, /topic none/);
    }
  });

  test('Ctrl-C while producing: the records that were read are sent, and the output counts those that were acknowledged', async () => {
    const running = startCommandLine(['produce', '--topic', 'lines'], environment);
    running.child.stdin.write('one\ntwo\n');
    await waitFor('both records', async () => {
      const read = await run(['offsets', '--topic', 'lines']);
      return read.stdout.trim() === 'lines:0:4';
    });
    running.child.kill('SIGINT');
    const ended = await running.ended;
    assert.equal(ended.exitCode, 130);
    assert.match(ended.stderr, /^2 records acknowledged, 0 failed$/m);
  });

  test('Ctrl-C while a named pipe is silent: produce ends, and what was acknowledged is told', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-pipe-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const interrupted = async (lines: string, isJson: boolean): Promise<string> => {
      const topic = isJson ? 'pipedJson' : 'piped';
      const args = ['produce', '--topic', topic, '--input', pipe, ...(isJson ? ['--json'] : [])];
      const running = startCommandLine(args, environment);
      // It is open when the command reads it.
      const writer = await open(pipe, 'w');
      try {
        await writer.write(lines);
        const records = lines.split('\n').length - 1;
        await waitFor('the records', async () => (await broker.log(topic, 0)).endOffset === records);
        running.child.kill('SIGINT');
        const ended = await running.ended;
        assert.equal(ended.exitCode, 130, ended.stderr);
        return ended.stderr;
      } finally {
        await writer.close();
      }
    };
    assert.equal(await interrupted('', false), '0 records acknowledged, 0 failed\n');
    assert.equal(await interrupted('one\ntwo\n', false), '2 records acknowledged, 0 failed\n');
    assert.equal(await interrupted('{"value":1}\n{"value":2}\n', true), '2 records acknowledged, 0 failed\n');
  });

  test('Ctrl-C while nobody has opened the named pipe for writing ends produce', {
    skip: !existsSync('/proc/self/fd') && 'only Linux shows which files another process has open',
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-pipe-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const running = startCommandLine(['produce', '--topic', 'piped', '--input', pipe], environment);
    await waitFor('the open pipe', () => openFilesOf(running.child.pid!).includes(pipe));
    running.child.kill('SIGINT');
    const ended = await running.ended;
    assert.equal(ended.exitCode, 130, ended.stderr);
    assert.equal(ended.stderr, '0 records acknowledged, 0 failed\n');
  });

  test('a named pipe is read to its end', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-pipe-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const running = startCommandLine(['produce', '--topic', 'pipedToEnd', '--input', pipe], environment);
    const text = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('');
    await writeFile(pipe, text);
    const ended = await running.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.equal(ended.stderr, '50000 records acknowledged, 0 failed\n');
  });

  test('Ctrl-C ends a consumer that waits', async () => {
    const running = startCommandLine(['consume', '--topic', 'lines', '--from-beginning'], environment);
    await waitFor('the records', async () => running.stdout().split('\n').length > 4);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    assert.equal(ended.exitCode, 130);
    assert.deepEqual(ended.lines, ['a', 'b', 'one', 'two']);
    assert.equal(ended.stderr, '4 records\n', 'no progress: stderr is no terminal');
  });

  test('a pipe whose reader ends is no error', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `a line of some length ${i}\n`).join('');
    assert.equal((await run(['produce', '--topic', 'lines'], many)).exitCode, 0);
    const running = startCommandLine(['consume', '--topic', 'lines', '--from-beginning'], environment);
    await once(running.child.stdout, 'data');
    running.child.stdout.destroy();
    const ended = await running.ended;
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.ok(!ended.stderr.includes('EPIPE'), ended.stderr);
  });

  test('without a terminal there are no colours, bars or control characters', async () => {
    const ended = await run(['metadata']);
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes('\u001b'));
    assert.match(ended.stdout, /^TOPIC +PARTITION +LEADER/m);
  });

  test('no output shows a secret, not even with --verbose', async () => {
    const secret = 'hunter2-is-secret';
    const jaas = `PlainLoginModule required username="u" password="${secret}";`;
    const ended = await runCommandLine(['metadata', '--verbose', '--timeout', '5000'], {
      environment: {
        ...environment,
        KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
        KAFKA_SASL_MECHANISM: 'PLAIN',
        KAFKA_SASL_JAAS_CONFIG: jaas,
      },
    });
    assert.notEqual(ended.exitCode, 0);
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(secret));
  });
});
