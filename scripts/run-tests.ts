// Runs compiled test files, each in a process of its own, a few at a time. It ends with a summary: the skipped tests with their reasons, the
// failed files, and the sums of node:test's numbers. Node 20's `--test` is not used: it has no globs and no time limit per file, and a test
// file that ends early with exit code 0 counts as a success there. Exit code 1 when anything failed or nothing ran.

import { compiledFolder, projectFolder, runnablePath, runningExtension } from './project.ts';
import { estimateText } from './test-run/estimate.ts';
import { type FileResult, runFile } from './test-run/file-run.ts';
import { longFiles } from './test-run/long-files.ts';
import { parseRunOptions, type RunOptions, usage } from './test-run/options.ts';
import { fileText, summaryText, totals } from './test-run/report.ts';
import { filesIn, type Selection, select, testFolders } from './test-run/test-files.ts';
import { makeThreadFiles, threadFilesVariable } from './test-run/thread-files.ts';

/** For a file that hangs. On a busy machine a file may take ten times as long as on a quiet one; a first run on real brokers fetches them. */
const defaultTimeoutMs = 900_000;
const slowMs = 180_000;

async function main(): Promise<number> {
  const options = parseRunOptions(process.argv.slice(2));
  const selection = chooseFiles(options);
  const started = performance.now();
  const { files, names } = selection;
  const looking = names.length === 0 ? '' : `, tests named ${names.map((name) => JSON.stringify(name)).join(' or ')}`;
  print(`${files.length} test files, ${options.concurrency} at a time, on ${options.node}${looking}\n`);
  if (options.isShort) print('without the files that take long, which `npm test` runs\n');
  if (names.length === 0) print(`${estimateText(files, options.concurrency)}\n`);
  const interruption = interruptions();
  const results = await runAll(selection, options, interruption);
  print(summaryText(results, performance.now() - started));
  if (interruption.aborted) {
    process.stderr.write(`interrupted by ${interruption.reason}\n`);
    return 1;
  }
  if (totals(results).tests > 0) return results.some((result) => result.hasFailed) ? 1 : 0;
  process.stderr.write('no test ran: no test matches the given folders and filters\n');
  return 1;
}

function chooseFiles(options: RunOptions): Selection {
  const all = testFolders(projectFolder);
  const folders = options.folders.length > 0 ? options.folders : all.filter((name) => !options.except.includes(name));
  const files = folders.flatMap((folder) => filesIn(projectFolder, folder));
  return select(options.isShort ? files.filter(({ path }) => !longFiles.has(path)) : files, options.filters);
}

async function runAll(selection: Selection, options: RunOptions, signal: AbortSignal): Promise<FileResult[]> {
  const waiting = [...selection.files];
  const threadFiles = runningExtension === '.js' ? await makeThreadFiles(compiledFolder) : undefined;
  const results: FileResult[] = [];
  const runner = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
      const result = await runFile(file, runnablePath(file.path), {
        node: options.node,
        timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
        names: selection.names,
        env: { [threadFilesVariable]: threadFiles },
        signal,
        slowMs,
        onSlow: (text) => print(`...   ${text}\n`),
      });
      results.push(result);
      // When tests are chosen by name, most files have none.
      if (result.hasFailed || result.counts.tests > 0) print(fileText(result));
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, runner));
  return results;
}

/** Aborted when this process gets a signal to end, so that the test processes end too. */
function interruptions(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => controller.abort(signal));
  }
  return controller.signal;
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nusage: ${usage}\n`);
  process.exitCode = 2;
}
