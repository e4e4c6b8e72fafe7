// Owns the command line of the main job. Main thread.

import { Command } from 'commander';
import { JobError } from './job-error.ts';

export interface JobOptions {
  /** The file or folder to read. Null: the text files below node_modules. */
  readonly input: string | null;
  /** How often the corpus is read. Null: until there is enough text. */
  readonly repeat: number | null;
  /** Whether to start a real Apache Kafka broker. */
  readonly isRealKafka: boolean;
  readonly partitions: number;
  /** For how many ms to block the main thread once in the middle of fetching. 0: not at all. */
  readonly blockMs: number;
  /** The client's requestTimeoutMs. */
  readonly requestTimeoutMs: number;
  /** Whether to print one line of JSON instead of a table. */
  readonly isJson: boolean;
}

export const usage = `npm start [-- OPTIONS]

Produces every line of real text to Kafka and fetches all of them back while the main thread is 90 % busy.
The broker is the embedded one, or that of KAFKA_BOOTSTRAP_SERVERS ("host:port,host:port") when it is set.

  --kafka                 start a real Apache Kafka broker instead (needs java 17 and mvn)
  --input PATH            a file, or a folder whose text files are read (default: those below node_modules)
  --repeat N              read the text N times (default: until there are 32 MB; once with --input)
  --partitions N          partitions of the topic, 1 to 100 (default 6)
  --block-ms N            block the main thread once for N ms in the middle of fetching (default 0)
  --request-timeout-ms N  requestTimeoutMs of the client (default 30000)
  --json                  print one JSON line instead of a table
  --help                  print this
`;

/** Returns null when help was requested. Throws a JobError that names the wrong argument. */
export function parseOptions(args: readonly string[]): JobOptions | null {
  const values = parsed(args);
  if (values.help === true) return null;
  return {
    input: values.input ?? null,
    repeat: values.repeat === undefined ? null : integer('repeat', values.repeat, 1, 1_000_000),
    isRealKafka: values.kafka === true,
    partitions: integer('partitions', values.partitions ?? '6', 1, 100),
    blockMs: integer('block-ms', values.blockMs ?? '0', 0, 3_600_000),
    requestTimeoutMs: integer('request-timeout-ms', values.requestTimeoutMs ?? '30000', 1, 3_600_000),
    isJson: values.json === true,
  };
}

interface Values {
  readonly kafka?: boolean;
  readonly input?: string;
  readonly repeat?: string;
  readonly partitions?: string;
  readonly blockMs?: string;
  readonly requestTimeoutMs?: string;
  readonly json?: boolean;
  readonly help?: boolean;
}

function parsed(args: readonly string[]): Values {
  const command = new Command('main-job')
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option('--kafka')
    .option('--input <path>')
    .option('--repeat <number>')
    .option('--partitions <number>')
    .option('--block-ms <ms>')
    .option('--request-timeout-ms <ms>')
    .option('--json')
    .option('-h, --help');
  try {
    return command.parse([...args], { from: 'user' }).opts();
  } catch (error) {
    throw new JobError(`${(error as Error).message}\n\n${usage}`);
  }
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new JobError(`--${name} must be an integer from ${min} to ${max}, not '${text.slice(0, 80)}'`);
}
