// Owns the application of the proof of a blocked producer: fills the buffer, blocks its main thread, and then says what became of the
// records. Its own process; its standard input and output are the other end of blocked-producer.ts.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { KafkaClient, type Producer } from '../../src/index.ts';

export const topic = 'blocked';
const partitions = 6;
const valueBytes = 1000;
/** How many records of the buffer have a Future each, and how many share one. */
const awaited = 200;
const grouped = 200;
const patienceMs = 90_000;
/** The buffer is full when there is no room for a record for so long. */
const fullMs = 1000;

export interface BlockedTask {
  readonly servers: readonly string[];
  readonly blockedMs: number;
  readonly deliveryTimeoutMs: number;
  readonly ledger: string;
}

export interface BlockedWriterReport {
  /** How many records the producer has taken. */
  readonly accepted: number;
  /** How many of them it was told of in shared memory when the block ended, before its event loop went on. */
  readonly acknowledgedWhileBlocked: number;
  readonly failed: number;
  /** The bytes of batches that were not acknowledged when the block began. */
  readonly bufferedBytes: number;
  readonly bufferMemoryBytes: number;
}

interface Written {
  readonly partitions: number[];
  readonly outcomes: Promise<boolean>[];
}

async function run({ servers, blockedMs, deliveryTimeoutMs, ledger }: BlockedTask): Promise<BlockedWriterReport> {
  await using client = await KafkaClient.start({ bootstrapServers: [...servers], apiVersionAutoTimeoutMs: patienceMs });
  const created = await client.admin().createTopics([{ name: topic, partitions }]);
  for (const result of created.values()) if (result instanceof Error) throw result;
  const requestTimeoutMs = Math.min(5000, Math.floor(deliveryTimeoutMs / 2));
  const producer = await client.producer({ deliveryTimeoutMs, requestTimeoutMs });
  // Once, so that metadata, connection and producer id are there.
  await producer.send(topic, { value: textOf(0), partition: 0 });
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const written = await fill(producer);
  const { usedBytes } = producer.counters;
  process.stdout.write('full\n');
  block(blockedMs);
  const acknowledgedWhileBlocked = producer.counters.acknowledged;
  const outcomes = await Promise.all(written.outcomes);
  await producer.flush();
  const { failed } = producer.counters;
  await producer.close();
  const isGood = failed === 0 && outcomes.every((isWritten) => isWritten);
  const lines = written.partitions.map((partition, n) => `0 ${n} ${partition} ${isGood ? 'a' : '?'}\n`);
  await writeFile(ledger, lines.join(''));
  return {
    accepted: written.partitions.length,
    acknowledgedWhileBlocked,
    failed: failed + outcomes.filter((isWritten) => !isWritten).length,
    bufferedBytes: usedBytes,
    bufferMemoryBytes: producer.config.bufferMemoryBytes,
  };
}

/** Writes records in every way until the producer takes no more. The first record was written before. */
async function fill(producer: Producer): Promise<Written> {
  const written: Written = { partitions: [0], outcomes: [] };
  const next = (): { value: string; partition: number } => {
    const n = written.partitions.length;
    const partition = n % partitions;
    written.partitions.push(partition);
    return { value: textOf(n), partition };
  };
  for (let i = 0; i < awaited; i++) {
    const sent = producer.send(topic, next());
    written.outcomes.push(sent.then(() => true).catch(() => false));
  }
  const group = producer.sendAll(topic, Array.from({ length: grouped }, next));
  written.outcomes.push(group.then(({ failed }) => failed === 0).catch(() => false));
  // The group is written in a later turn, and records of one thread must stay in order.
  await new Promise((resolve) => setImmediate(resolve));
  for (;;) {
    const n = written.partitions.length;
    if (producer.append(topic, null, textOf(n), n % partitions)) written.partitions.push(n % partitions);
    else if (!producer.waitSync(valueBytes, fullMs)) return written;
  }
}

function textOf(n: number): string {
  return `0 ${n} `.padEnd(valueBytes, 'x');
}

/** As a computation would. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const [, file, task] = process.argv;
if (file !== undefined && import.meta.url === pathToFileURL(file).href) {
  const report = await run(JSON.parse(task!) as BlockedTask);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  // It would keep the process alive.
  process.stdin.destroy();
}
