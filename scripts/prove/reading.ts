// Owns the comparison of two readings of a topic: what a reader has seen in each partition, in order, as a count and a digest. Also the
// reading by Kafka's own console consumer. Main thread of the proof, and of its checker.

import { createHash, type Hash } from 'node:crypto';
import { type KafkaTools, kafkaTools, toolsAvailability } from '../../test/kafka/fixture/index.ts';

export type Isolation = 'read_committed' | 'read_uncommitted';

/** By partition: how many records, and the digest of their offsets and values in the order in which they were read. */
export type Reading = Readonly<Record<number, string>>;

/** Kafka's console consumer ends when no record has come for so long. */
const quietMs = 30_000;
const toolTimeoutMs = 1_800_000;

export class ReadingDigest {
  readonly #partitions = new Map<number, { records: number; readonly hash: Hash }>();

  add(partition: number, offset: number, value: string): void {
    let seen = this.#partitions.get(partition);
    if (seen === undefined) {
      seen = { records: 0, hash: createHash('sha256') };
      this.#partitions.set(partition, seen);
    }
    seen.records++;
    seen.hash.update(`${offset} ${value}\n`);
  }

  /** Nothing can be added after this. */
  end(): Reading {
    const inOrder = [...this.#partitions].sort(([a], [b]) => a - b);
    return Object.fromEntries(
      inOrder.map(([partition, { records, hash }]) => [partition, `${records} ${hash.digest('hex')}`]),
    );
  }
}

export interface JavaVerdict {
  /** How many records Java's console consumer has read. */
  readonly committed: number;
  readonly uncommitted: number;
  /** Whether it has read the same records as the checker, at the same offsets and in the same order, in both isolation levels. */
  readonly agrees: boolean;
}

/** Reads the topic twice with Kafka's console consumer, and compares. A text says why that cannot be done. */
export async function compareWithJava(
  servers: readonly string[],
  topic: string,
  ours: Readonly<Record<Isolation, Reading>>,
): Promise<JavaVerdict | string> {
  const availability = toolsAvailability();
  if (!availability.available) return `skipped: ${availability.reason}`;
  const tools = await kafkaTools();
  const committed = await readByJava(tools, servers, topic, 'read_committed');
  const uncommitted = await readByJava(tools, servers, topic, 'read_uncommitted');
  const isSame = (a: Reading, b: Reading): boolean => JSON.stringify(a) === JSON.stringify(b);
  return {
    committed: recordsOf(committed),
    uncommitted: recordsOf(uncommitted),
    agrees: isSame(committed, ours.read_committed) && isSame(uncommitted, ours.read_uncommitted),
  };
}

function recordsOf(reading: Reading): number {
  return Object.values(reading).reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

async function readByJava(
  tools: KafkaTools,
  servers: readonly string[],
  topic: string,
  isolation: Isolation,
): Promise<Reading> {
  const digest = new ReadingDigest();
  let rest = '';
  const onOutput = (piece: string): void => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) addLine(digest, line);
  };
  await tools.run(
    'consumer.ConsoleConsumer',
    [
      ...['--bootstrap-server', servers.join(), '--topic', topic, '--from-beginning', '--isolation-level', isolation],
      ...['--timeout-ms', `${quietMs}`],
      ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
    ],
    { onOutput, timeoutMs: toolTimeoutMs },
  );
  if (rest !== '') addLine(digest, rest);
  return digest.end();
}

function addLine(digest: ReadingDigest, line: string): void {
  const parts = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line);
  // Whatever else it prints is a difference.
  if (parts === null) digest.add(-1, 0, line);
  else digest.add(Number(parts[1]), Number(parts[2]), parts[3]!);
}
