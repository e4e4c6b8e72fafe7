// Owns one member of the consumer's proof, a process of its own: reads, writes each batch into its ledger before it is done, blocks for
// random times, lets attached threads die, and leaves when it is told or when its time is over. `kill -9` ends it as well.
//   node consumer-member.js '{"servers":[...],"topic":"t",...}'

import { openSync, writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Consumer, type ConsumerBatch, type ConsumerHandle, KafkaClient, type LogFields } from '../../src/index.ts';
import { randomOf } from './random.ts';

export interface MemberJob {
  readonly servers: readonly string[];
  readonly topic: string;
  readonly results: string;
  readonly groupId: string;
  readonly protocol: 'consumer' | 'classic';
  /** Of this process; no two have the same. */
  readonly name: string;
  /** Of its place: the transactional id of all processes that follow each other there. */
  readonly place: number;
  readonly seed: number;
  readonly ledger: string;
  readonly lifeMs: number;
  readonly hasThread: boolean;
  readonly isTransactional: boolean;
}

/** Lines: `h`andled before it is done, `d`one, `x` lost, `l`ost partitions, `k`illed thread, `w`arning. Written at once, so that a kill loses none. */
function ledgerOf(file: string): (...fields: (string | number)[]) => void {
  const descriptor = openSync(file, 'a');
  return (...fields) => void writeSync(descriptor, `${Date.now()} ${fields.join(' ')}\n`);
}

type Ledger = ReturnType<typeof ledgerOf>;

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Takes each record's number from its value, so that the ledger tells what was read and not only which offsets. */
function handle(batch: ConsumerBatch, reader: string, note: Ledger): void {
  const numbers: string[] = [];
  for (const { value } of batch) numbers.push(value!.toString());
  note('h', reader, batch.partition, String(batch.firstOffset), String(batch.nextOffset), numbers.join(','));
}

async function readAlone(
  consumer: Consumer,
  reader: string,
  note: Ledger,
  random: (below: number) => number,
  signal: AbortSignal,
) {
  while (!signal.aborted) {
    const batch = await consumer.poll(1000, { signal });
    if (batch === null) continue;
    handle(batch, reader, note);
    if (random(40) === 0) block(random(3000));
    note(
      batch.done() === 'ok' ? 'd' : 'x',
      reader,
      batch.partition,
      String(batch.firstOffset),
      String(batch.nextOffset),
    );
  }
}

async function readInTransactions(
  job: MemberJob,
  client: KafkaClient,
  consumer: Consumer,
  note: Ledger,
  random: (below: number) => number,
  signal: AbortSignal,
) {
  const producer = await client.producer({
    transactionalId: `${job.groupId}-${job.place}`,
    transactionTimeoutMs: 20_000,
  });
  while (!signal.aborted) {
    const batch = await consumer.poll(1000, { signal });
    if (batch === null) continue;
    try {
      await producer.transaction(async (tx) => {
        for (const { value } of batch) tx.append(job.results, null, `${batch.partition} ${value}`, batch.partition);
        await tx.sendOffsets(batch);
        if (random(40) === 0) block(random(3000));
        if (random(20) === 0) throw new Error('aborted on purpose');
      });
      note(
        batch.done() === 'ok' ? 'd' : 'x',
        job.name,
        batch.partition,
        String(batch.firstOffset),
        String(batch.nextOffset),
      );
    } catch (error) {
      note('x', job.name, batch.partition, String(batch.firstOffset), String(batch.nextOffset));
      batch.giveBack();
      if ((error as { fatal?: boolean }).fatal === true) throw error;
    }
  }
  await producer.close();
}

/** One attached thread after the other; each is terminated in the middle of whatever it does. */
async function keepThreads(
  consumer: Consumer,
  job: MemberJob,
  note: Ledger,
  random: (below: number) => number,
  signal: AbortSignal,
) {
  for (let i = 0; !signal.aborted; i++) {
    const handed = consumer.share();
    const name = `${job.name}-t${i}`;
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { handed, name, ledger: job.ledger, seed: job.seed + i + 1 },
      transferList: [...handed.transferList],
    });
    worker.on('error', (error) => {
      throw error;
    });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 2000 + random(5000));
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    await worker.terminate();
    note('k', name);
  }
}

async function main(job: MemberJob): Promise<void> {
  const note = ledgerOf(job.ledger);
  const random = randomOf(job.seed);
  // Why the member was thrown out, if it is.
  const warn = ({ event }: LogFields, message: string): void =>
    note('w', job.name, `${event}: ${message.replaceAll('\n', ' ')}`);
  const client = await KafkaClient.start({
    bootstrapServers: job.servers,
    apiVersionAutoTimeoutMs: 60_000,
    logger: { debug: () => {}, info: warn, warn, error: warn },
    logLevel: 'info',
  });
  const consumer = await client.consumer({
    groupId: job.groupId,
    topics: [job.topic],
    autoOffsetReset: 'earliest',
    groupProtocol: job.protocol,
    commit: job.isTransactional ? 'manual' : { everyMs: 1000 },
    // A transaction takes many round trips, so that it should have more records.
    batchMaxBytes: job.isTransactional ? 32_768 : 4096,
  });
  consumer.on('lost', (partitions) => note('l', job.name, partitions.map(({ partition }) => partition).join(',')));
  consumer.on('truncated', ({ partition, from, to }) => note('t', job.name, partition, String(from), String(to)));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), job.lifeMs).unref();
  process.once('SIGTERM', () => stop.abort());
  const threads = job.hasThread ? keepThreads(consumer, job, note, random, stop.signal) : null;
  if (job.isTransactional) await readInTransactions(job, client, consumer, note, random, stop.signal);
  else await readAlone(consumer, job.name, note, random, stop.signal);
  await threads;
  await consumer.close({ timeoutMs: 30_000 });
  await client.close();
}

if (isMainThread) {
  await main(JSON.parse(process.argv[2]!) as MemberJob);
} else {
  const { handed, name, ledger, seed } = workerData as {
    handed: ConsumerHandle;
    name: string;
    ledger: string;
    seed: number;
  };
  const consumer = await Consumer.attach(handed);
  await readAlone(consumer, name, ledgerOf(ledger), randomOf(seed), new AbortController().signal);
}
