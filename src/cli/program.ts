// Owns the command line as a whole: its commands, the errors for wrong ones, and how it ends. Main thread.

import type { Command } from 'commander';
import { packageVersion } from '../common/generated/package-version.ts';
import { commander } from './commander.ts';
import { acls } from './commands/acls.ts';
import { bench } from './commands/bench.ts';
import { configs } from './commands/configs.ts';
import { consume } from './commands/consume.ts';
import { groups } from './commands/groups.ts';
import { metadata } from './commands/metadata.ts';
import { offsets } from './commands/offsets.ts';
import { produce } from './commands/produce.ts';
import { request } from './commands/request.ts';
import { topics } from './commands/topics.ts';
import { versions } from './commands/versions.ts';
import { Context } from './context.ts';
import { exitCodeFor, exitCodes, Interrupted } from './exit-codes.ts';
import { addCommonFlags, type Declaration } from './flags.ts';
import { describeError } from './io/describe-error.ts';
import { withoutOlderFlags } from './older-flags.ts';

/** All commands, in the order of the help. */
export const declarations: readonly Declaration[] = [
  metadata,
  versions,
  topics,
  offsets,
  groups,
  produce,
  consume,
  request,
  configs,
  acls,
  bench,
];

export const exitCodeHelp = `
Exit codes:
  0  done; also when the reader of the output has gone
  1  a broker refused something, or an item of several failed
  2  the command line or the configuration is wrong: nothing was done
  3  no broker could be reached, or none answered in time
  4  the login or the operation was refused
  5  a topic, partition or group does not exist
  6  the input could not be read; what came before it was sent
  130, 143  ended by Ctrl-C or SIGTERM

Settings come from flags, from a properties file of Kafka's own tools (--command-config, or the variable
KAFKA_COMMAND_CONFIG), and from variables such as KAFKA_BOOTSTRAP_SERVERS or KAFKA_SECURITY_PROTOCOL.`;

/** A command with its flags and its help, not run yet. */
export function commandOf(declaration: Declaration): Command {
  const command = new commander.Command(declaration.name).description(declaration.description);
  declaration.flags(command);
  addCommonFlags(command);
  if (declaration.help !== undefined) command.addHelpText('after', `\n${declaration.help}`);
  return command;
}

/** Runs one command and returns the exit code. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  let exitCode: number = exitCodes.success;
  const program = new commander.Command('offthread-kafka')
    .description('Kafka from the terminal: topics, groups, records, and any request as JSON.')
    .version(`offthread-kafka ${packageVersion}`)
    .showSuggestionAfterError()
    // Flags behind a command are its own: `request --version 9`.
    .enablePositionalOptions()
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
  for (const declaration of declarations) {
    const command = commandOf(declaration).exitOverride();
    program.addCommand(command);
    command.action(async (...given: unknown[]) => {
      const operands = given.slice(0, -2) as (string | undefined)[];
      exitCode = await runCommand(declaration, operands, command.opts(), controller);
    });
  }
  const endSignals = watchSignals(controller);
  // The reader of a help may go early. A command watches its output itself.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && process.stdout.listenerCount('error') === 1) throw error;
  });
  try {
    await program.parseAsync(withoutOlderFlags(args), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof commander.CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeFor(error);
  } finally {
    endSignals();
  }
}

async function runCommand(
  declaration: Declaration,
  operands: readonly (string | undefined)[],
  flags: object,
  controller: AbortController,
): Promise<number> {
  const context = new Context(flags, controller, declaration.uses);
  let exitCode: number = exitCodes.success;
  try {
    exitCode = (await declaration.run(context, flags as never, operands)) ?? exitCodes.success;
    await context.out.flush();
  } catch (error) {
    await context.out.flush().catch(() => {
      // The error that ended the command is reported.
    });
    if (!context.out.isClosed) {
      const cause = context.signal.aborted ? asInterrupted(context.signal.reason, error) : error;
      if (!(cause instanceof Interrupted)) process.stderr.write(`${describeError(cause)}\n`);
      exitCode = exitCodeFor(cause);
    }
  } finally {
    await context.close();
  }
  return exitCode;
}

/** The error of an interrupted command is only a consequence. */
function asInterrupted(reason: unknown, error: unknown): unknown {
  return reason instanceof Interrupted ? reason : error;
}

/** The first signal asks the command to end; the second ends the process. */
function watchSignals(controller: AbortController): () => void {
  const signals = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const;
  const handlers = signals.map(([signal, exitCode]) => {
    const handler = (): void => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(exitCode));
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const end of handlers) end();
  };
}
