// A program that loses its network thread in one way, again and again, each time at another step of a connection's life. It prints a line
// of JSON when the step is under way, waits to be told that it was reached, and prints what became of everything that was pending.

import { createInterface } from 'node:readline';
import type { Worker } from 'node:worker_threads';
import {
  type Consumer,
  Fetch,
  KafkaClient,
  KafkaClientError,
  type KafkaClientOptions,
  type Producer,
} from '../../../../src/index.ts';
import { byName, fetchRequest } from '../requests.ts';
import { hookChannel, type ThreadEnd } from './thread-hook.ts';

export interface StepArguments {
  readonly how: ThreadEnd | 'terminate';
  readonly cells: readonly {
    readonly step: string;
    readonly options: KafkaClientOptions;
    /** What is pending when the thread ends. */
    readonly pending: 'connection' | 'metadata' | 'nothing' | 'requests';
    /** The client is being closed at that time. */
    readonly isClosing?: boolean;
  }[];
}

/** How often each pending thing was settled, and with what. */
export type StepReport = Readonly<Record<string, { settled: number; outcome: string }>>;

const { how, cells } = JSON.parse(process.argv[2]!) as StepArguments;
const channel = new BroadcastChannel(hookChannel);
const lines = createInterface(process.stdin)[Symbol.asyncIterator]();

class Outcomes {
  readonly report: Record<string, { settled: number; outcome: string }> = {};
  readonly #all: PromiseLike<unknown>[] = [];

  follow(name: string, future: PromiseLike<unknown>): void {
    const row = { settled: 0, outcome: '' };
    this.report[name] = row;
    const settle = (outcome: unknown): void => {
      row.settled++;
      row.outcome = outcome instanceof KafkaClientError ? outcome.code : String(outcome);
    };
    this.#all.push(future.then(settle, settle));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all);
  }
}

async function rolesOf(client: KafkaClient): Promise<[Producer, Consumer]> {
  const producer = await client.producer({ enableIdempotence: false, deliveryTimeoutMs: 600_000 });
  const consumer = await client.consumer({ assign: [{ topic: 'logs', partition: 0 }], autoOffsetReset: 'earliest' });
  return [producer, consumer];
}

async function run({ options, pending, isClosing = false }: StepArguments['cells'][number]): Promise<StepReport> {
  let worker: Worker | null = null;
  process.once('worker', (created) => {
    worker = created;
  });
  const client = await KafkaClient.start(options);
  const outcomes = new Outcomes();
  const [producer, consumer] = pending === 'nothing' ? [null, null] : await rolesOf(client);
  if (pending === 'nothing' || pending === 'requests') {
    // With a version, start does not wait for metadata.
    await client.refreshMetadata();
    await client.awaitReady(0, { timeoutMs: 600_000 });
  }
  if (pending === 'connection') outcomes.follow('awaitReady', client.awaitReady(-1, { timeoutMs: 600_000 }));
  if (pending === 'connection' || pending === 'metadata') outcomes.follow('refreshMetadata', client.refreshMetadata());
  if (pending === 'requests') outcomes.follow('send', client.send(0, Fetch, fetchRequest('logs'), byName));
  if (producer !== null) outcomes.follow('record', producer.send('logs', { value: 'a record' }));
  if (consumer !== null) outcomes.follow('poll', consumer.poll(600_000));
  process.stdout.write('{"isBegun":true}\n');
  await lines.next();
  const exited = new Promise((resolve) => {
    worker!.once('exit', resolve);
  });
  if (isClosing) outcomes.follow('close', client.close());
  if (how === 'terminate') void worker!.terminate();
  else channel.postMessage(how);
  await exited;
  await outcomes.settled();
  const late = client.send(0, Fetch, fetchRequest('logs'), byName);
  outcomes.follow('late send', late);
  await client.close();
  await outcomes.settled();
  return outcomes.report;
}

for (const cell of cells) process.stdout.write(`${JSON.stringify(await run(cell))}\n`);
channel.close();
process.stdin.destroy();
