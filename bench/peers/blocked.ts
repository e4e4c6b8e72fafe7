// Compares consumers whose main thread is blocked for 15 s and 60 s, such as by a long calculation: whether their groups keep them, what they lose and
// read twice, and their memory. All clients are blocked at the same time, each in a process and a group of its own. Main thread.
//   npm run bench:peers -- blocked
//   BENCH_BLOCKED_SECONDS=600 npm run bench:peers -- blocked     longer than the default of max.poll.interval.ms, 5 minutes

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaClient, Producer } from '../../src/index.ts';
import { waitFor } from '../../test/helpers/wait-for.ts';
import { onProcessEnd } from '../../test/kafka/fixture/cleanup.ts';
import type { BenchRow, MissingRow } from '../support/rows.ts';
import type { BlockedFigures, BlockedJob, BlockedReport } from './support/blocked-process.ts';
import { besides } from './support/contender.ts';
import { isQuick, rounded } from './support/harness.ts';
import { missingPeers, nodeOfPeer } from './support/install.ts';
import { valuesOf } from './support/peer.ts';
import type { NodePeer } from './support/registry.ts';
import { type BrokerStage, brokerStage, withWritten } from './support/stage.ts';

const peers: readonly NodePeer[] = [
  'this client',
  '@platformatic/kafka',
  'kafkajs',
  'kafka-ts',
  'kafka-crab-js',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
];
const { BENCH_BLOCKED_SECONDS } = process.env;
const blocksMs =
  BENCH_BLOCKED_SECONDS !== undefined ? [Number(BENCH_BLOCKED_SECONDS) * 1000] : isQuick ? [15_000] : [15_000, 60_000];
const partitions = 4;
const valueBytes = 1024;
/** Written while the clients are blocked, and before. */
const recordsPerSecond = 1000;
const writeEveryMs = 50;
const hurry = 20;
const startTimeoutMs = 120_000;
const catchUpTimeoutMs = 60_000;
/** The groups are looked at so long before the block ends. */
const lookBeforeEndMs = 500;

const units: Readonly<Record<keyof BlockedFigures | 'evictions', string>> = {
  errors: 'errors',
  disconnects: 'disconnects',
  evictions: 'evictions',
  duplicates: 'records twice',
  neverRead: 'records',
  memoryBeforeMiB: 'MiB',
  memoryAfterMiB: 'MiB',
  memoryGrowth: 'x',
  peakMiB: 'MiB',
  catchUpMs: 'ms',
};

type Outcome = BlockedFigures & { readonly evictions: number; readonly about: string };

export async function* run(): AsyncGenerator<BenchRow | MissingRow> {
  const stage = await brokerStage();
  const missing = await missingPeers();
  const there = peers.filter((peer) => !missing.has(peer));
  for (const blockedMs of blocksMs) {
    const name = `main thread blocked for ${blockedMs / 1000} s`;
    for (const peer of peers) if (missing.has(peer)) yield { name, missing: peer, reason: missing.get(peer)! };
    const work = async function* (topic: string): AsyncGenerator<BenchRow | MissingRow> {
      const outcomes = await blocked(stage, topic, there, blockedMs);
      for (const [peer, outcome] of outcomes) {
        if (outcome instanceof Error) yield { name, missing: peer, reason: outcome.message };
      }
      const ours = outcomes.get('this client')!;
      if (ours instanceof Error) return;
      for (const [peer, outcome] of outcomes) {
        if (peer !== 'this client' && !(outcome instanceof Error)) yield* rowsOf(name, ours, peer, outcome);
      }
    };
    // The topic keeps everything: it is read after the block.
    yield* withWritten(stage, partitions, work, totalOf(blockedMs) * valueBytes);
  }
}

function* rowsOf(name: string, ours: Outcome, comparison: string, theirs: Outcome): Generator<BenchRow> {
  for (const [metric, unit] of Object.entries(units) as [keyof typeof units, string][]) {
    const [mine, other] = [ours[metric], theirs[metric]];
    const about = { ours: ours.about, theirs: theirs.about };
    const parameters = { client: 'this client', ...(metric === 'errors' && { settings: about, recordsPerSecond }) };
    const ratio = rounded(mine / (other || 1));
    yield {
      name: `${name}: ${metric}`,
      unit,
      ours: rounded(mine),
      comparison,
      theirs: rounded(other),
      ratio,
      parameters,
    };
  }
}

/** How many records are written: half of them before the block, so that every client has its memory in use then. */
function totalOf(blockedMs: number): number {
  return 2 * Math.ceil((recordsPerSecond * blockedMs) / 1000);
}

async function blocked(
  stage: BrokerStage,
  topic: string,
  there: readonly NodePeer[],
  blockedMs: number,
): Promise<Map<NodePeer, Outcome | Error>> {
  const producer = await Producer.start({ bootstrapServers: stage.bootstrapServer });
  await using client = await KafkaClient.start({ bootstrapServers: stage.bootstrapServer });
  const admin = await client.admin();
  const total = totalOf(blockedMs);
  const writer = startWriting(producer, topic, total);
  const contenders = there.map((peer) => new Contender(stage, peer, topic, total, blockedMs));
  try {
    await Promise.allSettled(contenders.map((one) => one.until('reading', startTimeoutMs)));
    const reading = contenders.filter((one) => one.has('reading'));
    await writer.half;
    for (const one of reading) one.begin();
    writer.writeEvenly();
    await Promise.allSettled(reading.map((one) => one.until('blocking', startTimeoutMs)));
    await delay(blockedMs - lookBeforeEndMs);
    const groups = await admin.describeConsumerGroups(reading.map(({ groupId }) => groupId));
    const isMember = ({ groupId }: Contender): boolean => {
      const group = groups.get(groupId);
      return group?.ok === true && group.value.members.length === 1;
    };
    const evicted = new Set(reading.filter((one) => !isMember(one)));
    await writer.ended;
    const outcomes = new Map<NodePeer, Outcome | Error>();
    for (const one of contenders) outcomes.set(one.peer, await one.outcome(evicted.has(one) ? 1 : 0));
    return outcomes;
  } finally {
    for (const one of contenders) one.kill();
    writer.stop();
    await producer.close();
  }
}

/** Writes half of the records soon, and the rest at an even rate when it is told so. */
function startWriting(producer: Producer, topic: string, total: number) {
  const values = valuesOf(valueBytes);
  const perTick = (recordsPerSecond * writeEveryMs) / 1000;
  let written = 0;
  let evenFrom: number | null = null;
  const [half, ended] = [new Signal(), new Signal()];
  const state = {
    half: half.given,
    ended: ended.given,
    writeEvenly: () => {
      evenFrom = performance.now();
    },
    stop: () => clearInterval(timer),
  };
  /** By the clock, because ticks come late on a busy machine. */
  const due = (): number =>
    evenFrom === null
      ? Math.min(written + perTick * hurry, total / 2)
      : Math.min(total / 2 + ((performance.now() - evenFrom) * recordsPerSecond) / 1000, total);
  const timer = setInterval(() => {
    for (const until = due(); written < until && producer.append(topic, null, values[written & 255]!); ) written++;
    if (written >= total / 2) half.give();
    if (written < total) return;
    clearInterval(timer);
    void producer.flush().then(() => ended.give());
  }, writeEveryMs);
  return state;
}

class Signal {
  give: () => void = () => {};
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

class Contender {
  readonly peer: NodePeer;
  readonly groupId: string;
  readonly #child: ChildProcess;
  readonly #reports: BlockedReport[] = [];
  readonly #timeoutMs: number;
  #errors = '';

  constructor(stage: BrokerStage, peer: NodePeer, topic: string, total: number, blockedMs: number) {
    this.peer = peer;
    this.groupId = `blocked-${process.pid}-${blockedMs}-${peer}`;
    this.#timeoutMs = blockedMs + catchUpTimeoutMs + startTimeoutMs;
    const job: BlockedJob = {
      peer,
      work: 'read',
      folder: stage.folder,
      bootstrapServer: stage.bootstrapServer,
      security: null,
      topic,
      partitions,
      valueBytes,
      acks: -1,
      compression: 'none',
      groupId: this.groupId,
      maxBytes: null,
      endOffset: 0,
      load: { blockMs: 0, share: 0 },
      warmUpMs: 0,
      measureMs: 0,
      atOnce: 1,
      ownPids: [],
      profileFolder: null,
      blockedMs,
      total,
      catchUpTimeoutMs,
    };
    const args = ['--expose-gc', '--enable-source-maps', besides('blocked-process'), JSON.stringify(job)];
    this.#child = spawn(nodeOfPeer(peer, stage.node), args, { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
    onProcessEnd(() => this.kill());
    (this.#child.stdio[2] as Readable).setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    // It may have ended.
    this.#child.stdin!.on('error', () => {});
    createInterface({ input: this.#child.stdio[3] as Readable }).on('line', (line) => {
      this.#reports.push(JSON.parse(line) as BlockedReport);
    });
  }

  has(kind: BlockedReport['kind']): boolean {
    return this.#reports.some((report) => report.kind === kind);
  }

  until(kind: BlockedReport['kind'], timeoutMs: number): Promise<unknown> {
    const isOver = (): boolean => {
      if (this.has(kind)) return true;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('it ended');
      return false;
    };
    return waitFor(`${this.peer}: ${kind}`, isOver, timeoutMs);
  }

  begin(): void {
    this.#child.stdin!.write('block\n');
  }

  async outcome(evictions: number): Promise<Outcome | Error> {
    try {
      await this.until('done', this.#timeoutMs);
    } catch (error) {
      return new Error(`${(error as Error).message}: ${this.#errors}`);
    }
    const done = this.#reports.find((report) => report.kind === 'done')!;
    return { ...done.figures, evictions, about: `${done.version}: ${done.settings}` };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
