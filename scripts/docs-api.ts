// Makes the API reference from the sources' documentation, in build/docs-api. The tool is installed into `.cache/typedoc`, with the newest
// compiler that it works with.

import { join } from 'node:path';
import { command } from './command.ts';
import { projectFolder } from './project.ts';
import { installTools } from './tools.ts';

const timeoutMs = 300_000;

const tools = await installTools('typedoc', { typedoc: '0.28.20', typescript: '^6.0.0' });
const entries = ['src/index.ts', 'src/entries/protocol.ts', 'src/entries/metrics.ts', 'src/testing/index.ts'];
const output = join(projectFolder, 'build', 'docs-api');
await command(
  process.execPath,
  [
    join(tools, 'node_modules', 'typedoc', 'bin', 'typedoc'),
    ...entries.flatMap((entry) => ['--entryPoints', entry]),
    '--tsconfig',
    'tsconfig.build.json',
    '--out',
    output,
    '--excludePrivate',
    '--excludeInternal',
    // No address of the sources is known.
    '--disableSources',
    '--logLevel',
    'Error',
  ],
  { cwd: projectFolder, timeoutMs },
);
process.stdout.write(`the API reference begins at ${join(output, 'index.html')}\n`);
