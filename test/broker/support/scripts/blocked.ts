// A program whose main thread is blocked while answers arrive: test/broker/blocked-thread.test.ts decides for how long. It
// says what it saw in one line of JSON.

import { readSync, writeSync } from 'node:fs';
import { Fetch, Future, KafkaClient, type KafkaClientOptions, Metadata, Produce } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../requests.ts';

export interface BlockedArguments {
  readonly options: KafkaClientOptions;
  readonly what: 'fetch' | 'metadata' | 'produce';
  readonly count: number;
  /** How often the thread is blocked: each time until a byte comes in. */
  readonly blocks: number;
}

export interface BlockedReport {
  /** What each request was answered with, in order of the answers. */
  readonly answers: readonly number[];
  readonly failures: readonly string[];
  /** Resident memory gained between the first request and the end of the last block. */
  readonly grownBytes: number;
}

const { options, what, count, blocks } = JSON.parse(process.argv[2]!) as BlockedArguments;

/** Blocks this thread, event loop and all, until the test writes a byte. */
function block(): void {
  writeSync(1, 'blocked\n');
  const byte = Buffer.alloc(1);
  for (;;) {
    try {
      if (readSync(0, byte, 0, 1, null) === 1) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

const client = await KafkaClient.start({ ...patient, maxInFlightRequestsPerConnection: count + 1, ...options });
await client.awaitReady(0);
// Whatever the first request of its kind costs, it is not what waiting costs.
const answers: number[] = [];
const failures: string[] = [];
await request(0);
answers.length = 0;
const bytesBefore = process.memoryUsage.rss();
const futures = Array.from({ length: count }, (_, i) => request(i));
await client.poll(0);
for (let i = 0; i < blocks; i++) {
  block();
  // A turn of the event loop with its timers.
  if (i < blocks - 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
const grownBytes = process.memoryUsage.rss() - bytesBefore;
await Promise.allSettled(futures);
writeSync(1, `${JSON.stringify({ answers, failures, grownBytes })}\n`);
await client.close();

function request(i: number): Future<number> {
  const seen = new Future<number>();
  const succeed = (answer: number): void => {
    answers.push(answer);
    seen.success(answer);
  };
  const fail = (error: Error): void => {
    failures.push(`${i}: ${error.message}`);
    seen.failure(error);
  };
  if (what === 'fetch') {
    // One batch each: the first one comes however small the limit.
    client
      .send(0, Fetch, fetchRequest('logs', { offset: i, maxBytes: 1 }), byName)
      .addCallback((response) => succeed(fetchedRecords(response).at(0).offset.toNumber()))
      .addErrback(fail);
  } else if (what === 'produce') {
    client
      .send(0, Produce, produceRequest('written', [{ value: `${i}` }]), byName)
      .addCallback((response) => succeed(response.responses.at(0).partitionResponses.at(0).baseOffset.toNumber()))
      .addErrback(fail);
  } else {
    client
      .send(0, Metadata, { topics: [{ name: 'logs' }] })
      .addCallback(() => succeed(i))
      .addErrback(fail);
  }
  return seen;
}
