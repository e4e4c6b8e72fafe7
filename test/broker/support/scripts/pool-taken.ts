// Takes every thread of the process's pool, and prints what clients can do then: one that was connected by name before, and
// one that is started meanwhile. For tests of what the network thread needs of that pool.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';

export interface PoolTakenArguments {
  readonly options: KafkaClientOptions;
  /** Of the client that is started meanwhile. */
  readonly anewTimeoutMs: number;
}

const threads = 8;
const folder = mkdtempSync(join(tmpdir(), 'pool-taken-'));
const paths = Array.from({ length: threads }, (_, i) => join(folder, String(i)));
execFileSync('mkfifo', paths);

const { options, anewTimeoutMs } = JSON.parse(process.argv[2]!) as PoolTakenArguments;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const client = await KafkaClient.start(options);
await client.awaitReady(0);
console.log('connected');
await lines.next();
// Opening a pipe for reading waits for somebody who writes.
const opened = paths.map((path) => open(path, 'r'));
try {
  console.log(`again: ${await outcome(usedAgain())}`);
  console.log(`anew: ${await outcome(startAnew())}`);
} finally {
  // Opening for both waits for nobody. It stays open until the last of those in the queue has been opened, too.
  const writers = paths.map((path) => openSync(path, 'r+'));
  for (const file of opened) await (await file).close();
  for (const writer of writers) closeSync(writer);
  rmSync(folder, { recursive: true });
}
await client.close();
process.exit();

async function usedAgain(): Promise<void> {
  await client.awaitReady(0, { timeoutMs: 120_000 });
  await client.send(0, Metadata, { topics: [] });
}

async function startAnew(): Promise<void> {
  const other = await KafkaClient.start({ ...options, apiVersionAutoTimeoutMs: anewTimeoutMs });
  await other.close();
}

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    return String(error);
  }
}
