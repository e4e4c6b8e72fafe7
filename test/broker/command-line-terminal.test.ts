// The command line at a terminal: a bar that stays in one line of any width, and ends with the command, also when it is interrupted; and
// lines that are typed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runnablePath } from '../../scripts/project.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';

const limitMs = 240_000;
const ctrlC = '\u0003';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal is told
const controlSequences = /\u001b\[[0-9;?]*[A-Za-z]/g;

describe('the command line at a terminal', () => {
  let broker: EmbeddedBroker;
  const folder = mkdtempSync(join(tmpdir(), 'cli-terminal-'));

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { lines: 1, read: 1, typed: 1 } });
    await broker.append('read', 0, { records: ['one', 'two', 'three'].map((value) => ({ value })) });
  });

  after(async () => {
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Terminal {
    /** All that the terminal has shown so far. */
    readonly shown: () => string;
    readonly type: (text: string) => void;
    readonly exitCode: Promise<number | null>;
  }

  /** Runs the command at a terminal of so many columns. A shell reads `work`, so it may end with `> FILE`. */
  function atTerminal(columns: number, work: string): Terminal {
    const server = broker.bootstrapServers.join(',');
    const cli = [process.execPath, runnablePath('src/cli/index.ts')].map((path) => `'${path}'`).join(' ');
    const line = `stty cols ${columns}; exec ${cli} ${work.replace('SERVER', `--bootstrap-server ${server}`)}`;
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm' },
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    return {
      shown: () => shown,
      type: (text) => child.stdin.write(text),
      exitCode: once(child, 'exit').then(([exitCode]) => exitCode as number | null),
    };
  }

  /** Runs the command until it has drawn its bar some times, and then types Ctrl-C. */
  async function interrupted(columns: number, work: string): Promise<string> {
    const terminal = atTerminal(columns, work);
    await waitFor('some redraws', () => terminal.shown().split(' MB').length > 5, limitMs);
    const drawn = terminal.shown();
    terminal.type(ctrlC);
    assert.equal(await terminal.exitCode, 130, terminal.shown());
    assertOneLine(drawn, columns);
    return terminal.shown();
  }

  /** Each redraw begins at the first column. */
  function assertOneLine(drawn: string, columns: number): void {
    assert.ok(!drawn.includes('\n'), 'the bar stays in its line');
    const lines = drawn.replaceAll(controlSequences, '\r').split('\r');
    for (const one of lines) assert.ok(one.length < columns, `${one.length} columns: ${one}`);
  }

  for (const columns of [40, 100]) {
    test(`of ${columns} columns: a bar is drawn in one line, and Ctrl-C ends it and tells what was done`, async () => {
      const shown = await interrupted(
        columns,
        'bench produce --topic lines --num-records 100000000 --throughput 2000 SERVER',
      );
      assert.match(shown, /records/);
    });
  }

  for (const columns of [40, 100]) {
    test(`of ${columns} columns: consume into a file draws a bar, also while no record comes`, async () => {
      const file = join(folder, `followed-${columns}.txt`);
      const shown = await interrupted(columns, `consume --topic read --from-beginning SERVER > '${file}'`);
      assert.match(shown, /^3 records\r?$/m);
      assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\nthree\n');
    });
  }

  test('consume into a file up to a known end shows how far it is', async () => {
    const file = join(folder, 'whole.txt');
    const terminal = atTerminal(100, `consume --topic read --offset 1 --exit SERVER > '${file}'`);
    assert.equal(await terminal.exitCode, 0, terminal.shown());
    assert.match(terminal.shown(), /consume +\[#+\] +100 % +0\.0 MB +0\.0 MB\/s +2 records/);
    assert.equal(readFileSync(file, 'utf8'), 'two\nthree\n');
  });

  test('consume onto the terminal shows records and no bar', async () => {
    const terminal = atTerminal(100, 'consume --topic read --from-beginning --exit SERVER');
    assert.equal(await terminal.exitCode, 0, terminal.shown());
    assert.deepEqual(terminal.shown().split(/\r?\n/), ['one', 'two', 'three', '3 records', '']);
  });

  test('produce: Ctrl-C while a line could be typed ends it, and the lines before it are counted', async () => {
    const terminal = atTerminal(80, 'produce --topic typed SERVER');
    terminal.type('one\ntwo\n');
    await waitFor('the typed lines', async () => (await broker.log('typed', 0)).endOffset === 2, limitMs);
    terminal.type(ctrlC);
    assert.equal(await terminal.exitCode, 130, terminal.shown());
    assert.match(terminal.shown(), /^(?:\^C)?2 records acknowledged, 0 failed\r?$/m);
  });
});
