// Runs the unit tests and the tests of the whole client on every supported major version of Node whose binary is available. If Node can run
// TypeScript itself, also runs the program that tries the package, on the sources instead of compiled files.
// Arguments: major versions; default: all supported ones. Exit code 1 when a test failed or no Node was available.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command } from './command.ts';
import { closedPort, consumerText } from './consumer.ts';
import { canStripTypes, findNodes, type MissingNode, majorsOfArguments, type NodeBinary } from './node-binaries.ts';
import { projectFolder, runnablePath } from './project.ts';
import { countNames } from './test-run/events.ts';

interface Run {
  readonly what: string;
  readonly hasFailed: boolean;
  /** The numbers at the end of the test run, or the output of the program. */
  readonly result: string;
}

const folders = ['unit', 'broker'];
const smokeTimeoutMs = 60_000;

const majors = majorsOfArguments('npm run test:nodes --', 'Runs tests on every supported Node.');
const missing: MissingNode[] = [];
const nodes = await findNodes(majors, (node) => missing.push(node));
const runs: Run[] = [];
for (const node of nodes) {
  runs.push(await runTests(node));
  if (canStripTypes(node)) runs.push(await trySources(node));
}
for (const { what, hasFailed, result } of runs) print(`${hasFailed ? 'FAIL' : 'ok  '} ${what}: ${result}\n`);
for (const { major, problem } of missing) print(`skip Node ${major}: not available here: ${problem}\n`);
process.exitCode = runs.length === 0 || runs.some((run) => run.hasFailed) ? 1 : 0;

/** Passes the runner's output on while it runs. */
async function runTests(node: NodeBinary): Promise<Run> {
  const what = `Node ${node.version}, compiled`;
  print(`--- ${what}\n`);
  const args = ['--enable-source-maps', runnablePath('scripts/run-tests.ts'), '--node', node.path, ...folders];
  const child = spawn(process.execPath, args, { cwd: projectFolder, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    print(text);
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { what, hasFailed: exitCode !== 0, result: lastCounts(output) };
}

/** Runs the program on the sources. The worker must then be found and run as TypeScript too. */
async function trySources(node: NodeBinary): Promise<Run> {
  const what = `Node ${node.version}, from source`;
  const folder = await mkdtemp(join(tmpdir(), 'test-nodes-'));
  try {
    const program = join(folder, 'consumer.mjs');
    const entry = pathToFileURL(join(projectFolder, 'src', 'index.ts')).href;
    await writeFile(program, (await consumerText()).replaceAll(`'offthread-kafka'`, JSON.stringify(entry)));
    const args = [program, String(await closedPort())];
    const output = await command(node.path, args, { cwd: folder, timeoutMs: smokeTimeoutMs });
    return { what, hasFailed: false, result: output.trim() };
  } catch (error) {
    return { what, hasFailed: true, result: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lastCounts(output: string): string {
  const counts = countNames.map((name) => new RegExp(`^# (${name} \\d+)$`, 'm').exec(output)?.[1]);
  return counts.filter((count) => count !== undefined).join(', ');
}

function print(text: string): void {
  process.stdout.write(text);
}
