// Owns one client's modest load on one partition, for as long as its standard input stays open. A process of its own, on a
// Node that the peers support. Reports go to reports.ts.
//   node produce-contender.js '{"client":"kafkajs","load":"one at a time",...}'

import { setTimeout as delay } from 'node:timers/promises';
import { type ProduceJob, startProducer } from './producers.ts';
import { nowMs, report } from './reports.ts';

// Its end is the parent's, however that came about.
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
