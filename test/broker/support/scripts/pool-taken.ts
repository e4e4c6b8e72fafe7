// Takes every thread of the process's pool, and prints what clients can do then: one that was connected by name before (its requests,
// an administration call that derives a key, a large compressed answer), and one that is started meanwhile. For tests of what the network thread needs of that pool.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Fetch, KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';

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
// Loads the code of administration calls, which Node 20 reads in the pool.
await client.admin().describeCluster();
console.log('connected');
await lines.next();
// Opening a pipe for reading waits for somebody who writes.
const opened = paths.map((path) => open(path, 'r'));
try {
  console.log(`again: ${await outcome(usedAgain())}`);
  console.log(`derives: ${await outcome(derivesKey())}`);
  console.log(`decodes: ${await outcome(decodes())}`);
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

/** The embedded broker knows no such call: it is enough that the client comes to that. */
async function derivesKey(): Promise<void> {
  const alteration = { user: 'u', mechanism: 'SCRAM-SHA-256', password: 'p', iterations: 4096 } as const;
  const results = await client.admin({ timeoutMs: 60_000 }).alterUserScramCredentials([alteration]);
  for (const result of results.values()) {
    if (result.ok) throw new Error('it succeeded');
    if (!/no version of|does not support|not support/.test(result.error.message)) throw result.error;
  }
}

async function decodes(): Promise<void> {
  const topicId = (await client.awaitTopic('big')).topicId('big')!;
  const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 24 }];
  const request = { maxWaitMs: 100, minBytes: 1, maxBytes: 1 << 24, topics: [{ topic: 'big', topicId, partitions }] };
  const response = await client.send(0, Fetch, request, { timeoutMs: 60_000 });
  const records = response.responses.at(0).partitions.at(0).records!;
  if (records.error !== null) throw records.error;
  if (records.length !== 400) throw new Error(`${records.length} records`);
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
