// The project's own test runner: it detects every way in which a test file can fail, even ways that Node takes for a success; it counts
// right, and it chooses the requested files.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { estimateText } from '../../../scripts/test-run/estimate.ts';
import { readEvents } from '../../../scripts/test-run/events.ts';
import { type FileResult, type FileRunOptions, runFile } from '../../../scripts/test-run/file-run.ts';
import { longFiles } from '../../../scripts/test-run/long-files.ts';
import { parseRunOptions } from '../../../scripts/test-run/options.ts';
import { fileText, summaryText } from '../../../scripts/test-run/report.ts';
import { filesIn, select, testFolders } from '../../../scripts/test-run/test-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'test-runner-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let written = 0;

async function run(body: string, options: Partial<FileRunOptions> = {}): Promise<FileResult> {
  written += 1;
  const script = join(folder, `${written}.mjs`);
  writeFileSync(script, `import { describe, test } from 'node:test';\n${body}\n`);
  const file = { path: `test/unit/${written}.test.ts`, folder: 'unit' };
  const signal = new AbortController().signal;
  return await runFile(file, script, {
    node: process.execPath,
    timeoutMs: 60_000,
    names: [],
    signal,
    slowMs: 60_000,
    onSlow: () => {},
    ...options,
  });
}

describe('a test file', { concurrency: 2 }, () => {
  test('that passes is counted by Node, and its skipped tests keep their reasons', async () => {
    const result = await run(`
      test('one', () => {});
      test('two', { skip: 'no Java' }, () => {});
      describe('group', () => {
        test('three', () => {});
        describe('inner', () => { test('four', (t) => t.skip('later')); });
        test.skip('five', () => {});
      });
      describe('six', { skip: 'no network' }, () => { test('not reached', () => {}); });`);
    assert.equal(result.hasFailed, false, fileText(result));
    assert.deepEqual(result.counts, { tests: 5, suites: 3, pass: 2, fail: 0, cancelled: 0, skipped: 3, todo: 0 });
    assert.deepEqual(result.skipped, [
      { name: 'two', reason: 'no Java' },
      { name: 'group > inner > four', reason: 'later' },
      { name: 'group > five', reason: 'no reason given' },
      { name: 'six', reason: 'no network' },
    ]);
  });

  test('whose tests print diagnostics has them below its line', async () => {
    const result = await run(`describe('group', () => { test('one', (t) => t.diagnostic('9 vectors')); });`);
    assert.deepEqual(result.notes, ['9 vectors']);
    assert.match(fileText(result), /^ok .*1 of 1 .*\n +9 vectors\n$/);
  });

  test('that fails is reported with its output', async () => {
    const result = await run(`console.log('seed 7'); test('one', () => { throw new Error('broken') });`);
    assert.equal(result.hasFailed, true);
    assert.equal(result.problem, null);
    assert.equal(result.counts.fail, 1);
    assert.match(fileText(result), /FAIL.*[\s\S]*seed 7[\s\S]*one[\s\S]*broken/);
  });

  const broken: readonly (readonly [what: string, body: string, problem: RegExp])[] = [
    ['that ends early', `test('one', () => process.exit(0));`, /exit code 0 before its tests were done/],
    ['without tests', '', /has no tests/],
    ['that cannot be loaded', `import './missing.mjs';`, /exit code 1 before/],
    ['that is killed', `test('one', () => process.kill(process.pid, 'SIGKILL'));`, /ended by SIGKILL/],
    ['that fails after its tests', `test('one', () => { setImmediate(() => { throw 1 }) });`, /though no test failed/],
  ];
  for (const [what, body, problem] of broken) {
    test(`${what} has failed`, async () => {
      const result = await run(body);
      assert.match(result.problem ?? '', problem);
      assert.equal(result.hasFailed, true);
      assert.equal(result.counts.fail, 1);
    });
  }

  test('that does not end is ended', async () => {
    const result = await run(`test('one', () => {}); setInterval(() => {}, 1000);`, { timeoutMs: 8000 });
    assert.match(result.problem ?? '', /something it opened is still open/);
    assert.equal(result.hasFailed, true);
  });

  test('with a test that does not end is ended, and the test named', async () => {
    const one = `test('one', () => new Promise((r) => setInterval(() => {}, 1000)));`;
    for (const [body, name] of [
      [one, 'one'],
      [`test('quick', () => {}); describe('group', () => { test('other', () => {}); ${one} });`, 'group > one'],
    ] as const) {
      const result = await run(body, { timeoutMs: 8000 });
      assert.match(result.problem ?? '', new RegExp(`^took longer than 8 s, while running "${name}" for \\d+ s$`));
      assert.equal(result.hasFailed, true);
    }
  });

  test('that takes long is reported before its end, with the running test', async () => {
    const told: string[] = [];
    const controller = new AbortController();
    const onSlow = (text: string): void => {
      told.push(text);
      if (text.includes('"one"')) controller.abort();
    };
    const body = `test('one', () => new Promise((r) => setInterval(() => {}, 1000)));`;
    await run(body, { slowMs: 100, onSlow, signal: controller.signal });
    assert.match(told.at(-1)!, /^test\/unit\/\d+\.test\.ts has taken \d+ s so far, while running "one" for \d+ s$/);
  });

  test('is ended when the run is interrupted', async () => {
    const controller = new AbortController();
    const running = run(`test('one', () => new Promise((r) => setInterval(() => {}, 1000)));`, {
      signal: controller.signal,
    });
    setImmediate(() => controller.abort());
    const result = await running;
    assert.match(result.problem ?? '', /ended by SIGTERM/);
    assert.equal(result.hasFailed, true);
  });

  test('has failed when there is no such Node', async () => {
    const result = await run('', { node: join(folder, 'no-node') });
    assert.match(result.problem ?? '', /could not be started.*ENOENT/);
  });

  test('runs only the tests named, and counts no other', async () => {
    const body = `test('one (a)', () => {}); test('two', () => { throw new Error() }); test.skip('three', () => {});`;
    const result = await run(body, { names: ['one (a)'] });
    assert.equal(result.hasFailed, false, fileText(result));
    assert.deepEqual(result.counts, { tests: 1, suites: 0, pass: 1, fail: 0, cancelled: 0, skipped: 0, todo: 0 });
    assert.deepEqual(result.skipped, []);
  });
});

test('the summary ends with the numbers of all files', async () => {
  const results = [
    await run(`test('one', () => {}); test('two', { skip: 'no Java' }, () => {});`),
    await run(`describe('group', () => { test('three', () => { throw new Error() }); });`),
  ];
  const [first, second] = results.map(({ file }) => file.path);
  const expected = `
Skipped, and why:
  no Java
    ${first}: two

Failed:
  ${second}: group > three

# tests 3
# suites 1
# pass 1
# fail 1
# cancelled 0
# skipped 1
# todo 0
# duration_ms 12
`;
  assert.equal(summaryText(results, 12.3), expected);
});

test('events that stop in the middle name the tests that were running, and since when', () => {
  const lines = [
    { kind: 'run', name: 'first', nesting: 0, at: 1 },
    { kind: 'done', name: 'first', nesting: 0 },
    { kind: 'start', name: 'first', nesting: 0 },
    { kind: 'end', name: 'first', nesting: 0 },
    { kind: 'run', name: 'group', nesting: 0, at: 2 },
    { kind: 'run', name: 'one', nesting: 1, at: 3 },
    { kind: 'run', name: 'two', nesting: 1, at: 4 },
    { kind: 'run', name: 'three', nesting: 1, at: 5 },
    { kind: 'done', name: 'one', nesting: 1 },
  ].map((line) => `${JSON.stringify(line)}\n`);
  const { counts, running, finished } = readEvents(`${lines.join('')}{"kind":"en`);
  const expected = [
    { name: 'group > two', since: 4 },
    { name: 'group > three', since: 5 },
  ];
  assert.deepEqual({ counts, running, finished }, { counts: null, running: expected, finished: 1 });
});

test('files are found in their order and chosen by path, or else by the names of tests', () => {
  const root = join(folder, 'project');
  const paths = [
    'zeta/a.test.ts',
    'kafka/b.test.ts',
    'unit/ring/c.test.ts',
    'unit/d.test.ts',
    'helpers/e.ts',
    'unit/f.js',
  ];
  for (const path of paths) {
    mkdirSync(dirname(join(root, 'test', path)), { recursive: true });
    writeFileSync(join(root, 'test', path), '');
  }
  assert.deepEqual(testFolders(root), ['unit', 'kafka', 'zeta']);
  const files = filesIn(root, 'unit');
  const pathsOf = (found: readonly { path: string }[]): string[] => found.map(({ path }) => path);
  assert.deepEqual(pathsOf(files), ['test/unit/d.test.ts', 'test/unit/ring/c.test.ts']);
  assert.throws(() => filesIn(root, 'missing'), /no folder test\/missing/);
  assert.deepEqual(pathsOf(select(files, ['ring', 'wraps']).files), ['test/unit/ring/c.test.ts']);
  assert.deepEqual(select(files, ['ring', 'wraps']).names, ['wraps']);
  assert.equal(select(files, ['wraps']).files.length, 2);
});

test('the command line is parsed, and wrong arguments are refused', () => {
  const options = parseRunOptions(['unit', '--node', 'node-22', '--timeout-seconds', '9', '--', 'ring', '--x']);
  assert.deepEqual(options, {
    folders: ['unit'],
    except: [],
    isShort: false,
    filters: ['ring', '--x'],
    node: 'node-22',
    concurrency: 2,
    timeoutMs: 9000,
  });
  assert.deepEqual(parseRunOptions(['--except', 'kafka', '--except', 'fuzz']).except, ['kafka', 'fuzz']);
  assert.equal(parseRunOptions(['--short', 'unit']).isShort, true);
  assert.throws(() => parseRunOptions(['--concurrency', 'two']), /--concurrency "two": expected an integer above 0/);
  assert.throws(() => parseRunOptions(['--unknown']), /--unknown/);
});

test('the estimate of a run is in seconds or minutes, and says if brokers may have to be fetched', () => {
  const files = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ path: `test/${folder}/${i}.test.ts`, folder }));
  assert.equal(estimateText(files('unit', 10), 2), 'about 4 s on a quiet machine');
  assert.equal(estimateText(files('fault', 1), 8), 'about 25 s on a quiet machine');
  assert.match(
    estimateText([...files('unit', 150), ...files('kafka', 10)], 2),
    /^about 9 minutes .* fetches them besides$/,
  );
});

test('the files that take long are there, so that none is left out under an old name', () => {
  const all = new Set(
    ['unit', 'golden', 'broker'].flatMap((name) => filesIn(projectFolder, name).map(({ path }) => path)),
  );
  assert.ok(longFiles.size > 0);
  assert.deepEqual(
    [...longFiles].filter((path) => !all.has(path)),
    [],
  );
});
