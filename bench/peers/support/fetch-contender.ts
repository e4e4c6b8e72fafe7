// Owns one run of one peer of the fetch benchmark over TLS: reads the topic again and again for a while, with one Fetch under way for each
// partition, and reports the cost. bench/macro/support/fetch-contender.ts does the same with this client. It is a process of its own.
//   node fetch-contender.js '{"contender":"kafkajs","host":...}'

import { FetchMeter, type MeterSettings } from '../../macro/support/fetch-meter.ts';
import { type PeerFetchRun, startFetcher } from './fetchers.ts';

const run = JSON.parse(process.argv[2]!) as PeerFetchRun &
  MeterSettings & { readonly partitions: number; readonly endOffset: number };
const meter = new FetchMeter(run);
const fetchPartition = await startFetcher(run);

async function readRoundAndRound(partition: number): Promise<never> {
  for (let offset = 0; ; ) {
    const { count, valueBytes, sum, nextOffset } = await fetchPartition(partition, offset);
    offset = nextOffset >= run.endOffset ? 0 : nextOffset;
    meter.count(count, valueBytes, sum);
  }
}

for (let partition = 0; partition < run.partitions; partition++) void readRoundAndRound(partition);
meter.keepBusy();
process.stdout.write(`${JSON.stringify(await meter.finished)}\n`, () => process.exit(0));
