// The examples run and do what they say.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { projectFolder, runnablePath } from '../../scripts/project.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';

/** An example that runs, with the lines that it has printed. */
interface Running {
  readonly lines: string[];
  /** The next line that matches. */
  line(pattern: RegExp): Promise<RegExpMatchArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

async function start(t: TestContext, name: string): Promise<Running> {
  const broker = await startEmbeddedBroker();
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', ...patientNode, runnablePath(`examples/${name}/index.ts`)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') },
    },
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await broker.close();
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const line = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      for (const one of lines) {
        const match = one.match(pattern);
        if (match !== null) return match;
      }
      await once(reader, 'line');
    }
  };
  const ended = once(child, 'close').then(([exitCode]) => exitCode as number | null);
  return { lines, line, kill: (signal) => child.kill(signal), ended };
}

const tried = new Set<string>();
function example(name: string, what: string, work: (t: TestContext) => Promise<void>): void {
  tried.add(name);
  test(`${name} ${what}`, work);
}

describe('examples', () => {
  example('first-program', 'reads back what it wrote, in order', async (t) => {
    const running = await start(t, 'first-program');
    assert.equal(await running.ended, 0);
    assert.deepEqual(
      running.lines.filter((line) => line.startsWith('read')),
      ['hello', 'from', 'another', 'thread'].map((value, i) => `read ${i} greeting: ${value}`),
    );
  });

  example('blocking-loop', 'works without ever returning to the event loop', async (t) => {
    const running = await start(t, 'blocking-loop');
    assert.equal(await running.ended, 0);
    assert.deepEqual(running.lines, ['2000 numbers read, 303 primes written, 0 records failed']);
  });

  example('http-ingest', 'answers when all lines are written, and ends after what it has taken', async (t) => {
    const running = await start(t, 'http-ingest');
    const [, port] = await running.line(/^listening on (\d+)$/);
    const url = `http://127.0.0.1:${port}/`;
    const body = Array.from({ length: 10_000 }, (_, i) => `line ${i}`).join('\n');
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await fetch(url, { method: 'POST', body })).json() as Promise<unknown>),
    );
    assert.deepEqual(
      answers,
      [1, 2, 3].map(() => ({ written: 10_000, failed: 0 })),
    );
    assert.equal((await fetch(url)).status, 405);
    running.kill('SIGTERM');
    assert.equal(await running.ended, 0);
    assert.ok(running.lines.includes('closed after 30000 records, 0 of them failed'), running.lines.join('\n'));
  });

  example('piscina-pool', 'answers every question once, in threads that are one member of the group', async (t) => {
    const running = await start(t, 'piscina-pool');
    assert.equal(await running.ended, 0);
    const [, read, threads, written] = await running.line(
      /^(\d+) questions read by (\d) threads, (\d+) answers written$/,
    );
    assert.deepEqual([read, written], ['4000', '4000']);
    assert.ok(Number(threads) > 1, `${threads} threads`);
  });

  test('npm run example runs one with a broker of its own, and names them all for another name', async () => {
    const { KAFKA_BOOTSTRAP_SERVERS: _, ...env } = process.env;
    const run = async (name: string) => {
      const args = ['--enable-source-maps', runnablePath('scripts/example.ts'), name];
      // For the example, which the script starts as a process of its own.
      const options = { ...env, NODE_OPTIONS: patientNode.join(' ') };
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: options });
      const [out, error] = [text(child.stdout), text(child.stderr)];
      const [exitCode] = (await once(child, 'close')) as [number | null];
      return { exitCode, out: await out, error: await error };
    };
    const { exitCode, out } = await run('first-program');
    assert.equal(exitCode, 0);
    assert.match(out, /^read 3 greeting: thread$/m);
    const wrong = await run('no-example');
    assert.equal(wrong.exitCode, 2);
    for (const name of tried) assert.ok(wrong.error.includes(name), wrong.error);
  });

  test('every example is tried', () => {
    assert.deepEqual(readdirSync(join(projectFolder, 'examples')).sort(), [...tried].sort());
  });
});
