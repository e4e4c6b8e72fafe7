// Owns running one command to its end for the scripts: bounded in time, failing with what it printed.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface CommandOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Instead of this process's own. */
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

/** As `command`, with both outputs. */
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
