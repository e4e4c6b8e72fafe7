// A program whose network thread ends while requests are pending. It says what became of them in one line of JSON.

import type { Worker } from 'node:worker_threads';
import { Fetch, KafkaClient, KafkaClientError, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';
import { byName, fetchRequest } from '../requests.ts';
import { hookChannel, type ThreadEnd } from './thread-hook.ts';

export interface ThreadEndArguments {
  readonly options: KafkaClientOptions;
  readonly how: ThreadEnd | 'terminate';
  /** Nothing but pollSync waits for the end. */
  readonly isBlocked?: boolean;
}

export interface ThreadEndReport {
  /** How often each of the pending requests was settled, and with what. */
  readonly pending: readonly { readonly settled: number; readonly error: string; readonly cause: string }[];
  /** What became of calls made after the end. */
  readonly after: Readonly<Record<string, unknown>>;
  readonly closeMs: number;
}

const { options, how, isBlocked = false } = JSON.parse(process.argv[2]!) as ThreadEndArguments;
let worker: Worker | null = null;
process.once('worker', (created) => {
  worker = created;
});
const client = await KafkaClient.start({ ...patient, ...options });
await client.awaitReady(0);

interface Pending {
  settled: number;
  error: string;
  cause: string;
}

const pending: Pending[] = [];
const all: PromiseLike<unknown>[] = [];

function count(future: PromiseLike<unknown>): void {
  const row: Pending = { settled: 0, error: '', cause: '' };
  pending.push(row);
  const settle = (outcome: unknown): void => {
    row.settled++;
    row.error = outcome instanceof KafkaClientError ? outcome.code : String(outcome);
    row.cause = outcome instanceof Error ? String(outcome.cause) : '';
  };
  all.push(future.then(settle, settle));
}

const futures = [1, 2, 3].map(() => client.send(0, Fetch, fetchRequest('logs'), byName));
for (const future of futures) count(future);
count(client.awaitReady(1, { timeoutMs: 600_000 }));
await client.poll(0);

const exited = new Promise((resolve) => {
  worker!.once('exit', resolve);
});
const channel = new BroadcastChannel(hookChannel);
if (how === 'terminate') void worker!.terminate();
else channel.postMessage(how);

const after: Record<string, unknown> = {};
while (isBlocked && !futures[0]!.isDone) client.pollSync(600_000, futures[0]!);
if (how !== 'loop' || options.networkThreadTimeoutMs !== undefined) {
  await Promise.all(all);
  await exited;
  const late = client.send(0, Metadata, { topics: [] });
  after.sendIsDone = late.isDone;
  after.send = (late.exception as KafkaClientError | null)?.code;
  after.isReady = client.isReady(0);
  after.connected = client.connected(0);
  after.maybeConnect = client.maybeConnect(0);
  after.poll = await client.poll(600_000);
  after.pollSync = client.pollSync(600_000);
  after.inFlight = client.inFlightRequestCount();
  after.refresh = await client.refreshMetadata().then(
    () => 'refreshed',
    (error: unknown) => (error as KafkaClientError).code,
  );
}
const began = performance.now();
await Promise.all([client.close(), client.close()]);
const closeMs = performance.now() - began;
await Promise.all(all);
process.stdout.write(`${JSON.stringify({ pending, after, closeMs } satisfies ThreadEndReport)}\n`);
// The client is no reason to go on; an open channel would be one.
channel.close();
