// Owns one run of one client of the bulk consume benchmark: joins a group, reads a topic from its beginning, and reports the cost for this
// thread. It is a process of its own, on a Node version that the peers support.
//   node bulk-consume-contender.js '{"reader":"kafkajs","bootstrapServer":...}'

import { FetchMeter, type FetchResult, type MeterSettings } from '../../macro/support/fetch-meter.ts';
import { type BulkReader, type ReadPlace, startReading } from './bulk-consumers.ts';

export interface ConsumeRun extends ReadPlace, MeterSettings {
  readonly reader: BulkReader;
}

export interface ConsumeResult extends FetchResult {
  readonly version: string;
  readonly settings: string;
  /** From the start of the process's own work to the first record. */
  readonly firstRecordMs: number;
  /** For all threads of the process, from the first record on. */
  readonly cpuMicrosecondsPerRecord: number;
}

const run = JSON.parse(process.argv[2]!) as ConsumeRun;
const meter = new FetchMeter(run);
const startedAt = performance.now();
let firstRecordMs = -1;
let usage = process.cpuUsage();
let records = 0;
const reading = await startReading(run.reader, run, (count, valueBytes, sum) => {
  if (firstRecordMs < 0) {
    firstRecordMs = performance.now() - startedAt;
    usage = process.cpuUsage();
  }
  records += count;
  meter.count(count, valueBytes, sum);
});
meter.keepBusy();
const measured = await meter.finished;
const { user, system } = process.cpuUsage(usage);
const { version, settings } = reading;
const result: ConsumeResult = {
  ...measured,
  version,
  settings,
  firstRecordMs: Math.round(firstRecordMs),
  cpuMicrosecondsPerRecord: (user + system) / records,
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
