// Owns the entry of the main job: arguments in, result and exit code out. Main thread. See README.md.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Progress } from '../../src/cli/io/progress.ts';
import { runJob } from './job.ts';
import { describeFailure } from './job-error.ts';
import { parseOptions, usage } from './options.ts';
import { jsonReport, tableReport } from './report.ts';

/** The nearest folder above this file with a node_modules folder. This file may be the source or the build. */
function dependenciesFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(folder, 'node_modules');
    const parent = dirname(folder);
    if (existsSync(candidate) || parent === folder) return candidate;
    folder = parent;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  try {
    const options = parseOptions(args);
    if (options === null) {
      process.stdout.write(usage);
      return 0;
    }
    const result = await runJob(options, dependenciesFolder(), await Progress.open());
    process.stdout.write(options.isJson ? `${JSON.stringify(jsonReport(result))}\n` : `${await tableReport(result)}\n`);
    return result.problems.length === 0 ? 0 : 1;
  } catch (error) {
    const text = describeFailure(error);
    process.stderr.write(`\nmain job failed: ${text}\n`);
    if (isJson) process.stdout.write(`${JSON.stringify({ ok: false, error: text })}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
