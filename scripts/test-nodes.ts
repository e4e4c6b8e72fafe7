// Runs the unit tests and those of the whole client on every supported major version of Node, as far as its binary can be had;
// where Node runs TypeScript itself, the client's tests once more from the sources, without any compiled file.
// Arguments: major versions, all supported ones by default. Exit code 1 when a test failed, or when no Node could be had.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canStripTypes, findNodes, type MissingNode, majorsOf, type NodeBinary } from './node-binaries.ts';
import { projectFolder, runnablePath } from './project.ts';
import { countNames } from './test-run/events.ts';

interface Run {
  readonly what: string;
  readonly hasFailed: boolean;
  /** The numbers the test runner ended with. */
  readonly counts: string;
}

const folders = ['unit', 'broker'];

const missing: MissingNode[] = [];
const nodes = await findNodes(majorsOf(process.argv.slice(2)), (node) => missing.push(node));
const runs: Run[] = [];
for (const node of nodes) {
  runs.push(await runTests(node, 'compiled', [runnablePath('scripts/run-tests.ts'), '--node', node.path, ...folders]));
  if (!canStripTypes(node) || !existsSync(join(projectFolder, 'test', 'broker'))) continue;
  runs.push(await runTests(node, 'from source', [join(projectFolder, 'scripts', 'run-tests.ts'), 'broker'], node.path));
}
for (const { what, hasFailed, counts } of runs) print(`${hasFailed ? 'FAIL' : 'ok  '} ${what}: ${counts}\n`);
for (const { major, problem } of missing) print(`skip Node ${major}: not to be had here: ${problem}\n`);
process.exitCode = runs.length === 0 || runs.some((run) => run.hasFailed) ? 1 : 0;

/** Passes the runner's output on while it runs. */
async function runTests(node: NodeBinary, how: string, args: string[], binary = process.execPath): Promise<Run> {
  const what = `Node ${node.version}, ${how}`;
  print(`--- ${what}\n`);
  const child = spawn(binary, ['--enable-source-maps', ...args], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    print(text);
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { what, hasFailed: exitCode !== 0, counts: lastCounts(output) };
}

function lastCounts(output: string): string {
  const counts = countNames.map((name) => new RegExp(`^# (${name} \\d+)$`, 'm').exec(output)?.[1]);
  return counts.filter((count) => count !== undefined).join(', ');
}

function print(text: string): void {
  process.stdout.write(text);
}
