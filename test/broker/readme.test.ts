// What newcomers are told: the README's first program runs as it stands there, its commands exist, and the map of the code
// in docs/architecture.md shows the files there are.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { withRoomTable } from '../../scripts/rooms.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { roomNames } from '../unit/structure/support/import-rules.ts';

const run = promisify(execFile);
const readme = readFileSync(join(projectFolder, 'README.md'), 'utf8');
const boundMs = 60_000;

/** The text of every block of code in that language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!);
}

describe('the first program of the README', () => {
  let broker: EmbeddedBroker;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readme-test-'));
    broker = await startEmbeddedBroker();
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  });

  test('is there once and has at most 20 lines', () => {
    const programs = blocks('js');
    assert.equal(programs.length, 1);
    const lines = programs[0]!.split('\n').filter((line) => line.trim() !== '');
    assert.ok(lines.length <= 20, `${lines.length} lines`);
  });

  test('produces, fetches and ends by itself', async () => {
    const library = new URL('../../src/index.js', import.meta.url).href;
    const program = blocks('js')[0]!.replace("from 'offthread-kafka'", `from ${JSON.stringify(library)}`);
    assert.ok(program.includes(library));
    const file = join(folder, 'first.mjs');
    writeFileSync(file, program);
    const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') };
    const { stdout, stderr } = await run(process.execPath, [file], { env, timeout: boundMs });
    assert.equal(stdout, '0 key 0: hello\n1 key 1: from\n2 key 2: another\n3 key 3: thread\n', stderr);
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
    const existing = new Set(['src', 'test', 'bench'].flatMap(filesOf));
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
