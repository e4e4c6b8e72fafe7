// The command line at a terminal: a bar that stays in one line of any width, and ends with the command, also when it is interrupted.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { lines: 1 } });
  });

  after(async () => {
    await broker.close();
  });

  /** Runs the command at a terminal until it has drawn its bar some times, and then types Ctrl-C. */
  async function interrupted(columns: number, work: string): Promise<string> {
    const server = broker.bootstrapServers.join(',');
    const cli = [process.execPath, runnablePath('src/cli/index.ts')].map((path) => `'${path}'`).join(' ');
    const line = `stty cols ${columns}; exec ${cli} ${work} --bootstrap-server ${server}`;
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
    const ended = once(child, 'exit');
    // Each redraw begins at the first column.
    await waitFor('some redraws', () => shown.split(' MB').length > 5, limitMs);
    const drawn = shown;
    child.stdin.write(ctrlC);
    const [exitCode] = (await ended) as [number | null];
    assert.equal(exitCode, 130, shown);
    assert.ok(!drawn.includes('\n'), 'the bar stays in its line');
    const lines = drawn.replaceAll(controlSequences, '\r').split('\r');
    for (const one of lines) assert.ok(one.length < columns, `${one.length} columns: ${one}`);
    return shown;
  }

  for (const columns of [40, 100]) {
    test(`of ${columns} columns: a bar is drawn in one line, and Ctrl-C ends it and tells what was done`, async () => {
      const shown = await interrupted(columns, 'bench produce --topic lines --num-records 100000000 --throughput 2000');
      assert.match(shown, /records/);
    });
  }
});
