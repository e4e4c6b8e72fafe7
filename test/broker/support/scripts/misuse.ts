// A program that does what an application should not, and says what became of it.

import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { Fetch, Future, KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';
import { byName, fetchRequest } from '../requests.ts';

export interface MisuseArguments {
  readonly options: KafkaClientOptions;
  readonly what: 'forgotten-await' | 'endless-recursion' | 'blocked-without-thread';
}

const { options, what } = JSON.parse(process.argv[2]!) as MisuseArguments;
const say = (line: string): void => void writeSync(1, `${line}\n`);
const threads: Worker[] = [];
process.on('worker', (worker: Worker) => threads.push(worker));
process.on('warning', (warning: Error & { code?: string; detail?: string }) => {
  say(`${warning.code}: ${warning.message}`);
});

const client = await KafkaClient.start({ ...patient, ...options });
await client.awaitReady(0);
const ask = () => client.send(0, Metadata, { topics: [] });

function forgetToAwait(): void {
  client.send(7, Metadata, { topics: [] });
}

if (what === 'forgotten-await') forgetToAwait();
if (what === 'endless-recursion') {
  let depth = 0;
  const recurse = (): void => {
    depth++;
    const future = ask();
    future.addCallback(recurse);
    client.pollSync(1000, future);
  };
  try {
    recurse();
  } catch (error) {
    say(`the outermost call: ${(error as Error).name}`);
  }
  say(depth > 20 ? 'deep' : `only ${depth} deep`);
  say(`afterwards: ${(await ask()).brokers.length} broker`);
}
if (what === 'blocked-without-thread') {
  const future = client.send(0, Fetch, fetchRequest('logs'), byName);
  void threads[0]!.terminate();
  client.pollSync(600_000, future);
  say(`${future.exception?.name}`);
  client.pollSync(600_000, new Future());
}
await client.close();
say('closed');
