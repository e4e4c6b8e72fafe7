// Owns the command `produce`: records from lines or JSON lines. Main thread.

import { accessSync, constants, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Producer } from '../../index.ts';
import { type Context, jsonText, keyAndValue } from '../context.ts';
import { exitCodeFor, exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, gathered, integerFrom } from '../flags.ts';
import { describeError } from '../io/describe-error.ts';
import { unescapeText } from '../records/format.ts';
import { fileChunks, type LineBlock, lineBlocks } from '../records/line-blocks.ts';
import { carriageReturn, chunksOf, piecesOf } from '../records/line-reader.ts';
import { openInput } from '../records/open-input.ts';
import { type ReaderSettings, type ReadRecord, recordReader } from '../records/record-reader.ts';

interface Flags {
  readonly topic?: string;
  readonly input?: string;
  readonly json?: boolean;
  readonly keySeparator?: string;
  readonly delimiter?: string;
  readonly partition?: number;
  readonly emptyAsNull?: boolean;
  readonly compressionCodec?: string | true;
  readonly requestRequiredAcks?: string;
  readonly property?: readonly string[];
  readonly readerProperty?: readonly string[];
}

const closeTimeoutMs = 120_000;
const newLine = 10;
const fileBatchBytes = 128 * 1024;

export const produce: Declaration = {
  name: 'produce',
  description: 'send lines of standard input or of a file, one record each',
  help: `With --json each line is { "key": ..., "value": ..., "headers": ..., "partition": ..., "timestamp": ... }, as
\`consume --json\` writes it. All but the value may be left out. A text is sent as it is, { "base64": "..." } as bytes,
other JSON as JSON.

Examples:
  echo hello | offthread-kafka produce --topic greetings --bootstrap-server localhost:9092
  offthread-kafka produce --topic orders --input orders.txt --key-separator '\\t' --compression-codec zstd
  offthread-kafka consume --topic a --json --exit | offthread-kafka produce --topic b --json`,
  uses: ['producer'],
  flags: (command: Command) => {
    command
      .requiredOption('--topic <name>', 'the topic')
      .option('--input <file>', 'read this file instead of standard input')
      .option('-J, --json', 'lines of JSON')
      .option('-K, --key-separator <text>', 'what stands between key and value')
      .option('-D, --delimiter <text>', 'what ends a record (default: \\n)')
      .option('--partition <number>', 'send all to this partition', integerFrom(0))
      .option('-Z, --empty-as-null', 'an empty key or value is sent as null')
      .option('-z, --compression-codec [codec]', 'none, gzip, snappy, lz4 or zstd; gzip if no codec is named')
      .option('--request-required-acks <acks>', 'all (the default), 1 or 0')
      .option('--reader-property <key=value>', 'parse.key, key.separator, parse.headers and others', gathered)
      .option('--property <key=value>', 'the same, as older tools have it', gathered);
  },
  run: async (context: Context, flags: Flags) => {
    const settings = settingsOf(flags);
    const properties = new Map<string, string>();
    if (flags.compressionCodec !== undefined)
      properties.set('compression.type', flags.compressionCodec === true ? 'gzip' : flags.compressionCodec);
    if (flags.requestRequiredAcks !== undefined)
      properties.set('acks', flags.requestRequiredAcks === '-1' ? 'all' : flags.requestRequiredAcks);
    const input = findInput(flags.input);
    const client = await context.client(properties);
    const topic = flags.topic!;
    await context.needTopics([topic]);
    const { producer: options } = await context.config(properties);
    // Java's default is for records that come now and then. Few large batches cost both sides much less.
    const producer = await client.producer({ batchSizeBytes: fileBatchBytes, ...options });
    const failures = watchFailures(context, producer);
    const sending = new Sending(context, producer, topic, flags.partition ?? null);
    try {
      await sending.send(input, settings);
    } finally {
      const isWhole = await sending.end();
      failures.tell();
      sending.tell(isWhole);
    }
    context.checkSignal();
    return failures.exitCode;
  },
};

function settingsOf(flags: Flags): ReaderSettings {
  const properties = new Map<string, string>();
  for (const pair of [...(flags.property ?? []), ...(flags.readerProperty ?? [])]) {
    const [key, value] = keyAndValue('--reader-property', pair);
    properties.set(key, value);
  }
  const unescaped = (flag: string, text: string | undefined): string | null =>
    text === undefined ? null : unescapeText(flag, text);
  const keySeparator = unescaped('--key-separator', flags.keySeparator);
  const delimiter = unescaped('--delimiter', flags.delimiter) ?? '\n';
  if (flags.json === true && (keySeparator !== null || properties.size > 0))
    throw new UsageError('--json goes without --key-separator and --reader-property');
  return { isJson: flags.json === true, keySeparator, delimiter, isEmptyNull: flags.emptyAsNull === true, properties };
}

interface Input {
  /** The path of a regular file, else null. */
  readonly path: string | null;
  readonly open: () => Readable;
  /** Null: not known. */
  readonly size: number | null;
  /** For errors. */
  readonly name: string;
}

function findInput(path: string | undefined): Input {
  if (path === undefined) return { path: null, open: () => process.stdin, size: null, name: 'standard input' };
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new UsageError(`--input: ${path} is a folder`);
    // Now, and not after a client was started for nothing.
    accessSync(path, constants.R_OK);
    const open = (): Readable => openInput(path);
    return stats.isFile() ? { path, open, size: stats.size, name: path } : { path: null, open, size: null, name: path };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--input: ${(error as Error).message}`);
  }
}

class Sending {
  readonly #context: Context;
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #partition: number | null;
  #bytes = 0;

  constructor(context: Context, producer: Producer, topic: string, partition: number | null) {
    this.#context = context;
    this.#producer = producer;
    this.#topic = topic;
    this.#partition = partition;
  }

  async send(input: Input, settings: ReaderSettings): Promise<void> {
    const { signal } = this.#context;
    const { size, name } = input;
    const read = recordReader(settings, name);
    const mark = plainMark(settings);
    // Input that is typed needs no bar.
    const isTyped = process.stdin.isTTY && input.path === null && name === 'standard input';
    const progress = isTyped ? null : await this.#context.progress();
    progress?.begin('produce');
    const update = (): void =>
      progress?.update({ share: shareOf(this.#bytes, size), bytes: this.#bytes, records: this.#settled });
    if (mark !== null) {
      const chunks = input.path === null ? chunksOf(input.open(), signal) : fileChunks(input.path, signal);
      for await (const block of lineBlocks(chunks, mark)) {
        await this.#sendLines(block, mark);
        if (signal.aborted) break;
        update();
      }
    } else {
      for await (const pieces of piecesOf(input.open(), settings.delimiter, signal)) {
        await this.#sendPieces(pieces, read, settings.delimiter.length);
        if (signal.aborted) break;
        update();
      }
    }
    const share = signal.aborted ? shareOf(this.#bytes, size) : size === null ? null : 1;
    progress?.end({ share, bytes: this.#bytes, records: this.#settled });
  }

  /** Lines as they are, without an object for each. */
  async #sendLines({ bytes, isUnended }: LineBlock, mark: number): Promise<void> {
    const { signal } = this.#context;
    const producer = this.#producer;
    const topic = this.#topic;
    const partition = this.#partition ?? undefined;
    for (let from = 0; from < bytes.length; ) {
      const at = bytes.indexOf(mark, from);
      const isLast = at < 0 || at === bytes.length - 1;
      let to = at < 0 ? bytes.length : at;
      // Kafka's tool takes both ends of lines. The end of an input without one is not changed.
      const isEnded = !(isLast && isUnended);
      if (isEnded && mark === newLine && to > from && bytes[to - 1] === carriageReturn) to--;
      // A bare view: that of Buffer costs twice as much.
      const value = new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
      while (!producer.append(topic, null, value, partition)) {
        await this.#room(null, value);
        if (signal.aborted) return;
      }
      from = at < 0 ? bytes.length : at + 1;
    }
    this.#bytes += bytes.length;
  }

  async #sendPieces(pieces: readonly Buffer[], read: ReadRecord, markBytes: number): Promise<void> {
    const { signal } = this.#context;
    for (const piece of pieces) {
      this.#bytes += piece.length + markBytes;
      const record = read(piece);
      if (record === null) continue;
      const { key = null, value, headers, timestamp, partition = this.#partition ?? undefined } = record;
      if (headers != null || timestamp !== undefined) await this.#sendWhole({ ...record, partition });
      else while (!this.#producer.append(this.#topic, key, value, partition)) await this.#room(key, value);
      if (signal.aborted) return;
    }
  }

  get #settled(): number {
    const { acknowledged, failed } = this.#producer.counters;
    return acknowledged + failed;
  }

  async #room(...parts: readonly (string | Uint8Array | null)[]): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + (part === null ? 0 : Buffer.byteLength(part)), 1024);
    await this.#producer.ready(bytes);
  }

  /** Headers and times need the call for whole records. */
  async #sendWhole(record: Parameters<Producer['send']>[1]): Promise<void> {
    await this.#room(record.key ?? null, record.value);
    // Failures are counted, and the event tells them.
    this.#producer.send(this.#topic, record).then(
      () => {},
      () => {},
    );
  }

  /** Waits for the records that were taken. @returns whether everything was settled in time */
  async end(): Promise<boolean> {
    try {
      await this.#producer.flush(closeTimeoutMs);
      await this.#producer.close();
      return true;
    } catch (error) {
      this.#context.say(describeError(error));
      return false;
    }
  }

  tell(isWhole: boolean): void {
    const { appended, acknowledged, failed } = this.#producer.counters;
    const open = isWhole ? '' : `, ${appended - acknowledged - failed} not known`;
    if (this.#context.isJson) this.#context.say(jsonText({ acknowledged, failed }));
    else this.#context.say(`${acknowledged} records acknowledged, ${failed} failed${open}`);
  }
}

/** The byte that ends a line if lines are sent as they are, else null. */
function plainMark({ isJson, keySeparator, delimiter, isEmptyNull, properties }: ReaderSettings): number | null {
  if (isJson || keySeparator !== null || isEmptyNull || properties.size > 0) return null;
  const mark = Buffer.from(delimiter);
  return mark.length === 1 ? mark[0]! : null;
}

function shareOf(bytes: number, size: number | null): number | null {
  return size === null || size === 0 ? null : bytes / size;
}

const maxTold = 10;

interface Told {
  readonly error: Error;
  records: number;
}

function watchFailures(context: Context, producer: Producer): { tell(): void; readonly exitCode: number } {
  const told = new Map<string, Told>();
  producer.on('failure', ({ topic, records, error }) => {
    // Texts differ from batch to batch. The kind of the error is enough.
    const kind = `${topic} ${(error as { code?: string }).code ?? error.name}`;
    const before = told.get(kind);
    if (before !== undefined) before.records += records;
    else if (told.size < maxTold) told.set(kind, { error, records });
  });
  return {
    tell: () => {
      for (const { error, records } of told.values()) context.say(`${records} records failed, ${describeError(error)}`);
    },
    get exitCode() {
      const errors = [...told.values()].map(({ error }) => error);
      if (errors.length === 0) return producer.counters.failed === 0 ? exitCodes.success : exitCodes.failure;
      return exitCodeFor(new AggregateError(errors));
    },
  };
}
