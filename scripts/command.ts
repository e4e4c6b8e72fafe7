// Owns the running of one command for the scripts. It has a time limit, and a failure has the output of the command.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface CommandOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Used instead of this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

const run = promisify(execFile);
const maxOutputBytes = 64 * 1024 * 1024;

/** Resolves with standard output. Fails with the command's name and both its outputs. */
export async function command(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return (await commandOutputs(file, args, options)).stdout;
}

export interface CommandOutputs {
  readonly stdout: string;
  readonly stderr: string;
}

/** Like `command`, but resolves with both outputs. */
export async function commandOutputs(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandOutputs> {
  const { cwd, timeoutMs, env } = options;
  try {
    return await run(file, args, {
      cwd,
      env: env ?? process.env,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: maxOutputBytes,
    });
  } catch (error) {
    const { killed, message, stdout, stderr } = error as Error & { killed?: boolean; stdout?: string; stderr?: string };
    const what = killed === true ? `took longer than ${timeoutMs / 1000} s` : message.split('\n')[0];
    throw new Error(`${file} ${args.join(' ')}: ${what}\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
