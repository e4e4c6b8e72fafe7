// Owns one client's small load on one partition, as long as its standard input is open. It is a process of its own, on a Node version that
// the peers support. It reports by reports.ts.
//   node produce-contender.js '{"client":"kafkajs","load":"one at a time",...}'

import { setTimeout as delay } from 'node:timers/promises';
import { type ProduceJob, startProducer } from './producers.ts';
import { nowMs, report } from './reports.ts';

// When the parent ends in any way, standard input ends, and this process exits.
process.stdin.on('end', () => process.exit(0)).resume();

const job = JSON.parse(process.argv[2]!) as ProduceJob;
const producer = await startProducer(job.client, job);
await producer.produce();
report({ kind: 'started', version: producer.version, settings: producer.settings });

async function once(): Promise<void> {
  try {
    await producer.produce();
    report({ kind: 'produced', atMs: nowMs() });
  } catch (error) {
    report({ kind: 'failed', atMs: nowMs(), error: (error as Error).name });
  }
}

if (job.load === 'ten a second') setInterval(once, 100);
else for (;;) await once().then(() => delay(20));
