// Builds the native addon for the code that is compiled beside this script: tests, benchmarks and the package use it. Where it cannot be built
// it says so in one line, and everything works without it. Argument: `--required` makes that a failure.

import { scriptCommand } from './arguments.ts';
import { buildForCompiledCode, NoAddonError } from './native-addon.ts';

const { required = false } = scriptCommand('npm run build:native', 'Builds the native addon for this platform.')
  .option('--required', 'fail if it cannot be built')
  .parse()
  .opts<{ required?: boolean }>();
try {
  await buildForCompiledCode();
} catch (error) {
  if (!(error instanceof NoAddonError)) throw error;
  const [line] = error.message.split('\n');
  process.stderr.write(`the native addon was left out: ${required ? error.message : line}\n`);
  if (required) process.exitCode = 1;
}
