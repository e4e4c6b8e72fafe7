// docs/command-line.md, "In ten minutes": a shell runs every command of it against a real broker, and each prints what the page says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder, runnablePath } from '../../../scripts/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { describeKafka } from '../fixture/index.ts';

interface Step {
  readonly command: string;
  /** What it prints: first to stdout, then to stderr. */
  readonly output: readonly string[];
  /** It goes on until Ctrl-C, which the page shows as `^C`. */
  readonly isFollowing: boolean;
}

const page = readFileSync(join(projectFolder, 'docs', 'command-line.md'), 'utf8');
const blocks = [...page.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text]) => text!);
const steps = blocks.flatMap(stepsOf);
const server = 'localhost:9092';
const limitMs = 180_000;

function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command, ...lines] = text.trimEnd().split('\n');
      return { command: command!, output: lines.filter((line) => line !== '^C'), isFollowing: lines.includes('^C') };
    });
}

/** Times differ. */
const withoutTimes = (text: string): string => text.replace(/"timestamp":\d+/g, '"timestamp":TIME');

describeKafka('the first steps of the command line', (suite) => {
  /** The commands before set variables for those behind, as in one shell. */
  const run = async ({ command, output, isFollowing }: Step, exported: readonly string[]): Promise<string[]> => {
    const program = ['npx() { shift; exec', ...[process.execPath, runnablePath('src/cli/index.ts')], '"$@"; }'].join(
      ' ',
    );
    const lines = [program, ...exported, command].join('\n').replaceAll(server, suite.kafka.bootstrapServers.join(','));
    const child = spawn('bash', ['-c', lines], { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        printed[name] += text;
      });
    }
    const ended = once(child, 'close') as Promise<[exitCode: number | null]>;
    if (isFollowing) {
      const wanted = output.filter((line) => line.startsWith('{')).length;
      await waitFor('what the page shows', () => printed.stdout.split('\n').length > wanted, limitMs);
      child.kill('SIGINT');
    }
    const [exitCode] = await ended;
    assert.equal(exitCode, isFollowing ? 130 : 0, `${command}: ${printed.stderr}`);
    return `${printed.stdout}${printed.stderr}`.split('\n').filter((line) => line !== '');
  };

  test('each command prints what the page says', async () => {
    assert.ok(steps.length >= 10, `${steps.length} steps`);
    const exported: string[] = [];
    for (const step of steps) {
      if (step.command.startsWith('export ')) {
        exported.push(step.command);
        continue;
      }
      const lines = await run(step, exported);
      assert.deepEqual(lines.map(withoutTimes), step.output.map(withoutTimes), step.command);
    }
  });
});
