#!/usr/bin/env node
// Owns the entry of the command line: the version at once, all else by program.ts, beside which the network thread starts. Main thread of its
// own process. Must load nothing that `--version` does not need.

import module from 'node:module';
import { packageVersion } from '../common/generated/package-version.ts';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`offthread-kafka ${packageVersion}\n`);
} else {
  // From Node 22.8 on: code that was compiled once is kept on disk, for threads too, and a command starts in three quarters of the time.
  const { enableCompileCache } = module as { enableCompileCache?: () => { readonly directory?: string } };
  const directory = enableCompileCache?.().directory;
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  const { endEarlyThread, startThreadEarly } = await import('../main/thread/new-thread.ts');
  // Most probably it starts a client, and prints no help.
  const isCommand = /^(?!help$)[a-z]/.test(args[0] ?? '') && !args.includes('--help') && !args.includes('-h');
  if (isCommand) startThreadEarly();
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(args);
  await endEarlyThread();
}
