// What newcomers read: the README's programs run and fail with reasons, its commands exist, and docs/architecture.md names files that
// exist.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { withRoomTable } from '../../scripts/rooms.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';
import { roomNames } from '../unit/structure/support/import-rules.ts';

const run = promisify(execFile);
const readme = readFileSync(join(projectFolder, 'README.md'), 'utf8');
const boundMs = 300_000;

/** The text of every block of code in that language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!);
}

/** A folder as `npm init` leaves it, with the package installed. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'readme-test-'));
  execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['init', '-y'], { cwd: folder, stdio: 'ignore' });
  const ownPackage = join(folder, 'node_modules', 'offthread-kafka');
  mkdirSync(ownPackage, { recursive: true });
  writeFileSync(join(ownPackage, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
  const library = new URL('../../src/index.js', import.meta.url).href;
  writeFileSync(join(ownPackage, 'index.js'), `export * from ${JSON.stringify(library)};\n`);
  return folder;
}

describe('the programs of the README', () => {
  const [first, byRequest] = blocks('js') as [string, string];
  let broker: EmbeddedBroker;
  let folder: string;

  before(async () => {
    folder = newFolder();
    broker = await startEmbeddedBroker({ autoCreateTopics: false });
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  });

  async function output(program: string) {
    const file = join(folder, 'first.mjs');
    writeFileSync(file, program);
    const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') };
    return run(process.execPath, [...patientNode, file], { env, timeout: boundMs });
  }

  /** What a program that must fail wrote to stderr. */
  async function failure(program: string): Promise<string> {
    const ended = await output(program).then(
      ({ stdout }) => assert.fail(`it succeeded: ${stdout}`),
      (error: { code: number | null; stderr: string }) => error,
    );
    assert.equal(ended.code, 1, `it ended by itself: ${ended.stderr}`);
    return ended.stderr;
  }

  test('are two: the first has at most 20 lines, and the one with single requests at most 30', () => {
    assert.equal(blocks('js').length, 2);
    for (const [program, maxLines] of [
      [first, 20],
      [byRequest, 30],
    ] as const) {
      const lines = program.split('\n').filter((line) => line.trim() !== '');
      assert.ok(lines.length <= maxLines, `${lines.length} lines`);
    }
  });

  test('run in a folder made by npm init: the first one writes, reads and ends by itself', async () => {
    const { stdout, stderr } = await output(first);
    assert.equal(stdout, '0 greeting: hello\n1 greeting: from\n2 greeting: another\n3 greeting: thread\n', stderr);
    assert.equal(stderr, '');
  });

  test('run again without reading the same records twice', async () => {
    const { stdout, stderr } = await output(first);
    assert.equal(stdout, '4 greeting: hello\n5 greeting: from\n6 greeting: another\n7 greeting: thread\n', stderr);
  });

  test('work with single requests: the program produces, fetches and ends by itself', async () => {
    const { stdout, stderr } = await output(byRequest);
    assert.equal(stdout, '0 key 0: hello\n1 key 1: from\n2 key 2: another\n3 key 3: thread\n', stderr);
    assert.equal(stderr, '');
  });

  for (const [name, program] of [
    ['the first', first],
    ['the one request by request', byRequest],
  ] as const) {
    test(`${name} fails with the broker's error for a replication factor that cannot be had`, async () => {
      const changed = program
        .replaceAll(/'(greetings|requests)'/g, "'other-$1'")
        .replace('replicationFactor: 1', 'replicationFactor: 5');
      assert.notEqual(changed, program);
      assert.match(await failure(changed), /InvalidReplicationFactorError/);
    });
  }

  test("the first fails with the broker's error for a topic misspelt where it is written to, and the log names it", async () => {
    const program = first
      .replace("send('greetings'", "send('greeting'")
      .replace('client.producer()', 'client.producer({ maxBlockMs: 6000, deliveryTimeoutMs: 120000 })');
    const text = await failure(program);
    assert.match(text, /TOPIC_ERROR.*no metadata of topic "greeting"/);
    assert.match(text, /topic 'greeting' is not present in metadata/);
    assert.match(text, /KAFKA_UNKNOWN_TOPIC_OR_PARTITION/);
  });

  test("the one request by request fails with the broker's error for a topic misspelt where it is waited for", async () => {
    const program = byRequest.replace(
      "awaitTopic('requests', { timeoutMs: 10_000 }",
      "awaitTopic('request', { timeoutMs: 6000 }",
    );
    assert.notEqual(program, byRequest);
    const text = await failure(program);
    assert.match(text, /UnknownTopicOrPartitionError/);
    assert.match(text, /TOPIC_ERROR.*no metadata of topic "request"/);
  });
});

test('the README has each command for newcomers in a block of its own', () => {
  const commands = blocks('').map((block) => block.trim());
  assert.ok(commands.includes('npm ci && npm start'));
  assert.ok(commands.includes('npm ci && npm test'));
});

test('the README names no npm script that does not exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?(start|test|run-tests|(?<=run )[\w:-]+)/g)].map(([, name]) => name!);
  assert.ok(named.length > 5);
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

describe('the architecture page', () => {
  const page = readFileSync(join(projectFolder, 'docs/architecture.md'), 'utf8');
  const named = new Set([...page.matchAll(/[\w-]+(?=\.ts\b)/g)].map(([name]) => name));
  const filesOf = (folder: string) =>
    readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => path.split(/[\\/]/).at(-1)!.slice(0, -3));

  test('names every room', () => {
    assert.deepEqual(
      roomNames.filter((room) => room !== 'index' && !page.includes(`\`${room}/\``)),
      [],
    );
  });

  test('has the table of rooms that the import test enforces', () => assert.equal(withRoomTable(page), page));

  test('shows no file that is not there', () => {
    const existing = new Set(['src', 'test', 'bench', 'scripts'].flatMap(filesOf));
    assert.ok(named.size > 30);
    assert.deepEqual(
      [...named].filter((name) => !existing.has(name)),
      [],
    );
  });

  test('names each file by where it is', () => {
    const paths = [
      ...page.matchAll(/(?<=`)(?:src\/)?((?:common|state|ring|codec|protocol|main|worker)\/[\w/-]+\.ts)/g),
    ];
    assert.ok(paths.length > 20, `${paths.length} paths found`);
    assert.deepEqual(
      paths.map(([, path]) => path!).filter((path) => !existsSync(join(projectFolder, 'src', path))),
      [],
    );
  });

  test('fits in one reading', () => {
    assert.ok(page.split('\n').length <= 250);
  });
});
