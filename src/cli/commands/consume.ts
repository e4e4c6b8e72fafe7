// Owns the command `consume`: records to standard output, by partitions or as a member of a group. Main thread.

import type { Command } from 'commander';
import { monotonicNowMs } from '../../common/clock.ts';
import type { Consumer, ConsumerBatch, ConsumerOptions, KafkaClient, PlaceInLog } from '../../index.ts';
import type { Context } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, int64Of, integerFrom, names } from '../flags.ts';
import type { Done, Progress } from '../io/progress.ts';
import { EndOfLogs } from '../records/end-of-logs.ts';
import { formatHelp, parseFormat, type Writer } from '../records/format.ts';
import { writeJson } from '../records/json-lines.ts';

interface Flags {
  readonly topic?: readonly string[];
  readonly include?: string;
  readonly group?: string;
  readonly partition?: readonly string[];
  readonly offset?: string;
  readonly fromBeginning?: boolean;
  readonly maxMessages?: number;
  readonly timeoutMs?: number;
  readonly exit?: boolean;
  readonly format?: string;
  readonly json?: boolean;
  readonly isolationLevel?: string;
}

const pollMs = 200;
const lastPollMs = 50;

export const consume: Declaration = {
  name: 'consume',
  description: 'print records, from partitions or as a member of a group',
  help: `Without --group all partitions are read, from --offset on, and nothing is committed. With --group the offsets of what was
printed are committed. OFFSET is a number, -NUMBER for so many before the end, earliest, latest, or s@MS for a time.

FORMAT:
${formatHelp}

Examples:
  offthread-kafka consume --topic orders --from-beginning --exit --bootstrap-server localhost:9092
  offthread-kafka consume --topic orders --json
  offthread-kafka consume --topic orders --group billing --format '%p %o %k: %s\\n'`,
  uses: ['consumer'],
  flags: (command: Command) => {
    command
      .option('--topic <names>', 'the topics', names)
      .option('--include <pattern>', 'all topics that match this regular expression')
      .option('--group <id>', 'join this group')
      .option('--partition <numbers>', 'only these partitions', names)
      .option('--offset <offset>', 'where to begin (default: latest)')
      .option('--from-beginning', 'begin with the first record, in a group if nothing is committed')
      .option('--max-messages <number>', 'end after so many records', integerFrom(1))
      .option('--timeout-ms <ms>', 'end when no record comes for so long', integerFrom(1))
      .option('-e, --exit', 'end at the end of the partitions')
      .option('-f, --format <format>', "what to print of a record (default: '%s\\n')")
      .option('-J, --json', 'print a line of JSON for each record')
      .option('--isolation-level <level>', 'read_uncommitted (the default) or read_committed');
  },
  run: async (context: Context, flags: Flags) => {
    const writer = writerOf(flags);
    checkFlags(flags);
    const properties = new Map<string, string>();
    if (flags.isolationLevel !== undefined) properties.set('isolation.level', flags.isolationLevel);
    const client = await context.client(properties);
    const topics = await topicsOf(context, client, flags);
    const { consumer: configured } = await context.config(properties);
    const group = flags.group ?? null;
    const partitions = group === null ? await partitionsOf(context, client, topics, flags) : [];
    const beginnings = await placed(context, client, partitions, flags);
    const ends = flags.exit === true && group === null ? await EndOfLogs.of(context, client, beginnings) : null;
    const options: ConsumerOptions = {
      ...configured,
      ...(flags.fromBeginning === true && { autoOffsetReset: 'earliest' as const }),
      ...(group === null ? { assign: beginnings, groupId: null } : { groupId: group, topics }),
    };
    const consumer = await client.consumer(options);
    const reading = new Reading(context, consumer, writer, flags, ends, await progressOf(context));
    try {
      await reading.run();
    } finally {
      await consumer.close();
      reading.tell();
    }
    if (!context.out.isClosed) context.checkSignal();
    return exitCodes.success;
  },
};

function writerOf(flags: Flags): Writer | null {
  if (flags.json === true && flags.format !== undefined) throw new UsageError('give only one of --json, --format');
  if (flags.json === true) return writeJson;
  // Null: only values and line breaks are written. They are copied without a view for each record.
  return flags.format === undefined || flags.format === '%s\\n' ? null : parseFormat(flags.format);
}

function checkFlags(flags: Flags): void {
  if ((flags.topic === undefined) === (flags.include === undefined))
    throw new UsageError('give one of --topic, --include');
  if (flags.group !== undefined && (flags.partition !== undefined || flags.offset !== undefined))
    throw new UsageError('--group goes without --partition and --offset: the group decides');
  if (flags.offset !== undefined && flags.fromBeginning === true)
    throw new UsageError('give only one of --offset, --from-beginning');
}

async function topicsOf(context: Context, client: KafkaClient, flags: Flags): Promise<readonly string[]> {
  if (flags.topic !== undefined) {
    await context.needTopics(flags.topic);
    return flags.topic;
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^(?:${flags.include})$`);
  } catch (error) {
    throw new UsageError(`--include: ${(error as Error).message}`);
  }
  const listed = await client.admin({ timeoutMs: context.timeoutMs }).listTopics();
  const found = listed.filter(({ name }) => pattern.test(name)).map(({ name }) => name);
  if (found.length === 0) throw new UsageError(`no topic matches --include ${flags.include}`);
  return found;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

async function partitionsOf(
  context: Context,
  client: KafkaClient,
  topics: readonly string[],
  flags: Flags,
): Promise<Place[]> {
  const wanted = flags.partition?.map((text) => Number(integerFrom(0)(text))) ?? null;
  const described = await client.admin({ timeoutMs: context.timeoutMs }).describeTopics(topics);
  const found: Place[] = [];
  for (const [topic, { partitions }] of described.orThrow()) {
    const all = partitions.map(({ partition }) => partition);
    const missing = wanted?.filter((partition) => !all.includes(partition)) ?? [];
    if (missing.length > 0)
      throw new UsageError(`topic ${topic} has no partition ${missing.join(', ')}: it has 0 to ${all.length - 1}`);
    for (const partition of wanted ?? all) found.push({ topic, partition });
  }
  return found;
}

async function placed(
  context: Context,
  client: KafkaClient,
  partitions: readonly Place[],
  flags: Flags,
): Promise<(Place & { offset: PlaceInLog })[]> {
  const text = flags.fromBeginning === true ? 'earliest' : (flags.offset ?? 'latest');
  const time = /^s@(\d+)$/.exec(text);
  if (time !== null) return partitions.map((one) => ({ ...one, offset: { timestampMs: Number(time[1]) } }));
  if (text === 'earliest' || text === 'beginning')
    return partitions.map((one) => ({ ...one, offset: 'earliest' as const }));
  if (text === 'latest' || text === 'end') return partitions.map((one) => ({ ...one, offset: 'latest' as const }));
  const offset = int64Of('--offset', text);
  if (offset >= 0n) return partitions.map((one) => ({ ...one, offset }));
  const admin = client.admin({ timeoutMs: context.timeoutMs });
  const at = async (spec: 'earliest' | 'latest') =>
    [...(await admin.listOffsets(partitions.map((one) => ({ ...one, at: spec })))).orThrow().values()].map((found) =>
      found.offset!.toBigInt(),
    );
  const [first, last] = await Promise.all([at('earliest'), at('latest')]);
  return partitions.map((one, i) => {
    const wanted = last[i]! + offset;
    return { ...one, offset: wanted < first[i]! ? first[i]! : wanted };
  });
}

/** At a terminal that does not show the records themselves. Without a terminal nothing is said until the end. */
async function progressOf(context: Context): Promise<Progress | null> {
  return process.stderr.isTTY && !context.out.isTerminal ? context.progress() : null;
}

class Reading {
  readonly #context: Context;
  readonly #consumer: Consumer;
  readonly #writer: Writer | null;
  readonly #flags: Flags;
  readonly #ends: EndOfLogs | null;
  readonly #progress: Progress | null;
  readonly #newLine = Buffer.from('\n');
  #records = 0;
  #lastAt = monotonicNowMs();

  constructor(
    context: Context,
    consumer: Consumer,
    writer: Writer | null,
    flags: Flags,
    ends: EndOfLogs | null,
    progress: Progress | null,
  ) {
    this.#context = context;
    this.#consumer = consumer;
    this.#writer = writer;
    this.#flags = flags;
    this.#ends = ends;
    this.#progress = progress;
  }

  async run(): Promise<void> {
    this.#progress?.begin('consume');
    try {
      await this.#read();
    } finally {
      this.#progress?.end(this.#done);
    }
  }

  get #done(): Done {
    const ofEnds = this.#ends?.share ?? null;
    const { maxMessages } = this.#flags;
    const ofRecords = maxMessages === undefined ? null : this.#records / maxMessages;
    const share = ofEnds === null || ofRecords === null ? (ofEnds ?? ofRecords) : Math.max(ofEnds, ofRecords);
    return { share, bytes: this.#context.out.bytesTaken, records: this.#records };
  }

  async #read(): Promise<void> {
    const { signal, out } = this.#context;
    const { maxMessages = Number.POSITIVE_INFINITY, timeoutMs } = this.#flags;
    while (!signal.aborted && this.#records < maxMessages) {
      if (this.#ends?.isReached === true) return;
      this.#progress?.update(this.#done);
      let batch = await this.#consumer.poll(pollMs, { signal });
      if (batch === null) {
        if (timeoutMs !== undefined && monotonicNowMs() - this.#lastAt >= timeoutMs) return;
        if (!(await this.#isAtEnd())) continue;
        // Records that came before the ends were known are already behind the position.
        const last = await this.#consumer.poll(lastPollMs, { signal });
        if (last === null) return;
        batch = last;
      }
      this.#lastAt = monotonicNowMs();
      const upTo = this.#print(batch, maxMessages - this.#records);
      await out.flush();
      // Only what was written counts as done, and may be committed.
      if (out.isClosed) return;
      if (upTo === null) batch.done();
      else batch.done(upTo);
      this.#ends?.note(batch.topic, batch.partition, batch.nextOffset.toBigInt());
      batch.recycle();
    }
  }

  /** @returns null when all records were printed, else the offset of the next one */
  #print(batch: ConsumerBatch, limit: number): bigint | null {
    const { out } = this.#context;
    const { topic, partition } = batch;
    let printed = 0;
    if (this.#writer === null) {
      for (const cursor = batch.cursor(); printed < limit && cursor.next(); printed++) {
        const { value } = cursor;
        if (value !== null) out.bytes(value);
        out.bytes(this.#newLine);
      }
    } else {
      for (const record of batch) {
        if (printed >= limit) break;
        this.#writer(out, { topic, partition, record });
        printed++;
      }
    }
    this.#records += printed;
    return printed < batch.count ? batch.records.at(printed).offset.toBigInt() : null;
  }

  /** Called only when nothing came. */
  async #isAtEnd(): Promise<boolean> {
    if (this.#flags.exit !== true) return false;
    const position = (place: Place): bigint | null => {
      const found = this.#consumer.position(place);
      return found === null ? null : BigInt(String(found));
    };
    if (this.#ends !== null) return this.#ends.isReachedBy(position);
    // In a group the end counts for the partitions of this member.
    const { assignment } = this.#consumer;
    if (assignment.length === 0 || assignment.some((one) => position(one) === null)) return false;
    const ends = await EndOfLogs.of(this.#context, await this.#context.client(), assignment);
    return ends.isReachedBy(position);
  }

  tell(): void {
    this.#context.say(`${this.#records} records`);
  }
}
