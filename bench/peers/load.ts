// Compares the clients while the application works on their main thread, in blocks: what each still reads and writes, and how much of its time the
// application keeps. In turns, each in a process of its own.
//   npm run bench:peers -- load

import { isIn, type Part } from '../support/report-plan.ts';
import type { BenchRow, MissingRow } from '../support/rows.ts';
import { besideBusyProcess } from './support/beside.ts';
import { idle, isQuick, measure, rounded, type Workload } from './support/harness.ts';
import type { Load } from './support/job.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withFilled, withWritten } from './support/stage.ts';

const partitions = 4;
/** The name, the block and the share. */
type NamedLoad = Load & { readonly name: string };
const idleLoad: NamedLoad = { name: 'main thread idle', ...idle };
const loads: readonly NamedLoad[] = [0.5, 0.9].flatMap((share) =>
  [1, 20, 1000].map((blockMs) => ({
    name: `main thread ${share * 100} % busy in blocks of ${blockMs === 1000 ? '1 s' : `${blockMs} ms`}`,
    blockMs,
    share,
  })),
);
const heavy = loads.filter(({ share }) => share === 0.9);
const heavyLong = heavy.filter(({ blockMs }) => blockMs > 1);
const isOfGoals = ({ name }: NamedLoad): boolean => heavyLong.some((one) => one.name === name);
/** The goals are about these; the others are only shown. */
const writerLoads = heavy.filter(({ blockMs }) => blockMs === 20);
const otherReaderLoads = isQuick ? [] : loads.filter((load) => !isOfGoals(load));
const otherWriterLoads = isQuick ? [] : heavy.filter(({ blockMs }) => blockMs !== 20);
const readers: readonly PeerName[] = ['this client', '@platformatic/kafka', 'kafkajs', 'node-rdkafka'];
/** Their rates beside a busy process say what a busy machine takes from them, when their own main thread is idle. */
const besideBusy: readonly PeerName[] = ['this client', '@platformatic/kafka'];
const fetchers: readonly PeerName[] = ["this client's Fetch and Produce", "@platformatic/kafka's Fetch and Produce"];
const rate = 'recordsPerSecond';
const work = 'recordsPerSecond x applicationShare';

type Row = BenchRow | MissingRow;

/** By workload, for the busy ones that come later. */
const idleRates = new Map<string, BenchRow>();

export async function* run(part?: Part): AsyncGenerator<Row> {
  if (isIn(part, {})) yield* goals();
  if (isIn(part, { isTable: true }) && !isQuick) yield* tables();
}

const small = { valueBytes: 100, endOffset: 2_000_000 };
const large = { valueBytes: 1024, endOffset: 400_000 };
const writing = { valueBytes: 100, partitions, work: 'write', peers: readers, name: 'produce 100 B' } as const;

async function* goals(): AsyncGenerator<Row> {
  const stage = await brokerStage();
  for (const [name, size] of [
    ['consume 100 B', small],
    ['consume 1 KiB', large],
  ] as const) {
    yield* withFilled(stage, { ...size, partitions, isVaried: true }, async function* (topic) {
      const workload: Workload = { ...size, topic, partitions, work: 'read', peers: readers, name };
      yield* underLoads(workload, [idleLoad, ...heavyLong]);
      yield* besideLoad({ ...workload, peers: besideBusy }, writerLoads[0]!);
    });
  }
  yield* withWritten(stage, partitions, (topic) => underLoads({ ...writing, topic }, [idleLoad, ...writerLoads]));
}

async function* tables(): AsyncGenerator<Row> {
  const stage = await brokerStage();
  yield* withFilled(stage, { ...small, partitions, isVaried: true }, async function* (topic) {
    const shared = { ...small, topic, partitions, work: 'read' } as const;
    yield* underLoads({ ...shared, peers: fetchers, name: 'fetch 100 B' }, [idleLoad, ...heavyLong]);
    yield* underLoads({ ...shared, peers: readers, name: 'consume 100 B' }, otherReaderLoads);
  });
  yield* withWritten(stage, partitions, (topic) => underLoads({ ...writing, topic }, otherWriterLoads));
}

async function* underLoads(workload: Workload, under: readonly NamedLoad[]): AsyncGenerator<Row> {
  const stage = await brokerStage();
  for (const { name, ...load } of under) {
    const shares = new Map<string, BenchRow>();
    const rates: BenchRow[] = [];
    for await (const row of measure(stage, { ...workload, name: `${workload.name}, ${name}`, load })) {
      yield row;
      if ('missing' in row) continue;
      if (row.name.endsWith(': applicationShare')) shares.set(row.comparison, row);
      if (row.name.endsWith(`: ${rate}`)) rates.push(row);
    }
    for (const row of rates) yield usefulWork(row, shares.get(row.comparison)!);
    const ours = rates[0];
    if (ours === undefined) continue;
    if (load.blockMs === 0) {
      idleRates.set(workload.name, ours);
      continue;
    }
    yield* besideIdleRate(workload, ours, load);
  }
}

/** The control of a busy main thread: the main thread is idle, and another process works in the same way. */
async function* besideLoad(workload: Workload, { blockMs, share }: NamedLoad): AsyncGenerator<Row> {
  const load = { blockMs, share };
  const name = `${workload.name}, beside a process ${share * 100} % busy in blocks of ${blockMs} ms`;
  for await (const row of besideBusyProcess(await brokerStage(), load, (stage) =>
    measure(stage, { ...workload, name }),
  )) {
    yield row;
    if (!('missing' in row) && row.name.endsWith(`: ${rate}`)) yield* besideIdleRate(workload, row, load);
  }
}

function* besideIdleRate(workload: Workload, row: BenchRow, load: Load): Generator<BenchRow> {
  const idleRate = idleRates.get(workload.name);
  if (idleRate === undefined) return;
  const comparison = 'its own rate with an idle main thread';
  const ratio = rounded(row.ours / idleRate.ours);
  yield { ...row, comparison, theirs: idleRate.ours, ratio, parameters: { client: workload.peers[0]!, load } };
}

/** How much both got done: a client that takes the application's time does not win by it. */
function usefulWork(row: BenchRow, share: BenchRow): BenchRow {
  const [mine, theirs] = [row.ours * share.ours, row.theirs * share.theirs];
  const name = row.name.replace(rate, work);
  return { ...row, name, ours: rounded(mine), theirs: rounded(theirs), ratio: rounded(mine / theirs) };
}
