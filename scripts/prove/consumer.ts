// Owns the proof of the consumer: a real cluster of three brokers, members in processes of their own that join, leave, are killed, block and
// lose attached threads, brokers that are killed and leaders that move. Everything is drawn from a seed. Prints one JSON line; exit code 1
// when anything was lost, out of order or, outside of deaths and losses, read twice, or when a group went on without a living member.
//   npm run prove -- consumer --minutes 10 --seed 7 [--protocol consumer|classic|mixed] [--members 3] [--transactions]

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { KafkaClient, type Producer } from '../../src/index.ts';
import { type KafkaFixture, startKafka } from '../../test/kafka/fixture/index.ts';
import { integerFrom, type RandomRun, randomRunCommand } from '../arguments.ts';
import { RunProgress } from '../run-progress.ts';
import { brokerLines, judge, newVerdict, type Verdict } from './consumer-ledger.ts';
import type { MemberJob } from './consumer-member.ts';
import { randomOf } from './random.ts';

const partitions = 6;
const topic = 'proof';
const results = 'results';
const groupId = 'proof';
const maxBrokerLogBytes = 256 * 1024 * 1024;
/** The last member must come further within this time. */
const drainLimitMs = 120_000;
const lastLifeMs = 3_600_000;
const memberLimitMs = 90_000;

const groupProtocols = ['consumer', 'classic', 'mixed'] as const;

const values = randomRunCommand(
  'npm run prove -- consumer',
  'No record is lost or out of order, or read twice for no reason.',
)
  .addOption(new Option('--protocol <name>', 'of the group').choices(groupProtocols).default('mixed'))
  .option('--members <number>', 'how many', integerFrom(1), 3)
  .option('--transactions', 'write what was read in transactions', false)
  .parse(process.argv.slice(3), { from: 'user' })
  .opts<
    RandomRun & {
      readonly protocol: (typeof groupProtocols)[number];
      readonly members: number;
      readonly transactions: boolean;
    }
  >();

const random = randomOf(values.seed);
const counts = { joins: 0, leaves: 0, kills: 0, threadDeaths: 0, brokerKills: 0, elections: 0 };
/** Names of processes that were killed. */
const killed = new Set<string>();
const failures: string[] = [];

async function main(): Promise<number> {
  const progress = await RunProgress.open();
  progress.begin({ name: 'start', limitMs: null });
  const kafka = await startKafka({
    brokers: 3,
    startTimeoutMs: 300_000,
    extraProperties: {
      'min.insync.replicas': '2',
      'offsets.topic.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'unclean.leader.election.enable': 'false',
      'group.initial.rebalance.delay.ms': '0',
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'prove-consumer-'));
  try {
    await using client = await KafkaClient.start({
      bootstrapServers: kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 60_000,
      closeTimeoutMs: 60_000,
    });
    const topics = [topic, results].map((name) => ({ name, partitions, replicationFactor: 3 }));
    for (const [name, result] of await client.admin().createTopics(topics))
      if (result instanceof Error) throw new Error(`${String(name)} was not created`, { cause: result });
    const verdict = await prove(kafka, client, folder, progress);
    progress.end();
    const { lost, reordered, duplicatesOutsideRebalances, evictions, consumed } = verdict;
    // A member that blocks stays in its group: only a kill may take it out, or Kafka, when it converts the group.
    const wrong = lost + reordered + duplicatesOutsideRebalances + evictions + failures.length;
    const isGood = consumed > 0 && wrong === 0;
    const { seed, minutes, protocol, members, transactions } = values;
    const line = { proof: 'consumer', ...verdict, ...counts, failures, seed, minutes, protocol, members, transactions };
    process.stdout.write(`${JSON.stringify({ ...line, kafka: kafka.version, ok: isGood })}\n`);
    return isGood ? 0 : 1;
  } finally {
    progress.stop();
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function prove(
  kafka: KafkaFixture,
  client: KafkaClient,
  folder: string,
  progress: RunProgress,
): Promise<Verdict> {
  const endAt = performance.now() + values.minutes * 60_000;
  const written = Array.from({ length: partitions }, (): number[] => []);
  const records = (): number => written.reduce((sum, numbers) => sum + numbers.length, 0);
  progress.begin({ name: 'faults', limitMs: endAt - performance.now(), records });
  const stop = new AbortController();
  const trouble = makeTrouble(kafka, client, stop.signal);
  const places = Array.from({ length: values.members }, (_, place) =>
    keepPlace(kafka, folder, place, endAt, stop.signal),
  );
  await write(client, written, endAt);
  stop.abort();
  await trouble;
  await Promise.all(places);
  progress.begin({ name: 'drain', limitMs: null });
  // Whatever is left, one last member reads in peace.
  await drain(kafka, folder, written, progress);
  const said = kafka.brokers.flatMap((broker) =>
    brokerLines(broker.log(maxBrokerLogBytes), `${broker.nodeId}`, groupId),
  );
  const ofLedger = judge([...(await ledgerLines(folder)), ...said], written, hasDied);
  if (!values.transactions) return ofLedger;
  // What was read is in the results, what became of the members is in their ledgers.
  const { evictions, conversions, lossReasons, truncations } = ofLedger;
  return { ...(await judgeResults(client, written)), evictions, conversions, lossReasons, truncations };
}

const hasDied = (reader: string): boolean => killed.has(reader) || killed.has(reader.replace(/-t\d+$/, ''));

/** Numbers, in order in each partition; only those that were acknowledged have to be read. */
async function write(client: KafkaClient, written: number[][], endAt: number): Promise<void> {
  const producer: Producer = await client.producer({ requestTimeoutMs: 5000, deliveryTimeoutMs: 90_000 });
  for (let n = 0; performance.now() < endAt; ) {
    const sent: Promise<void>[] = [];
    for (let i = 0; i < 200; i++, n++) {
      const [number, partition] = [n, random(partitions)];
      const noted = producer.send(topic, { value: String(number), partition }).then(
        () => void written[partition]!.push(number),
        () => {},
      );
      sent.push(Promise.resolve(noted));
    }
    await Promise.all(sent);
    await delay(20);
  }
  await producer.close();
}

/** Member after member: each lives for a random time, and leaves in order or is killed. */
async function keepPlace(
  kafka: KafkaFixture,
  folder: string,
  place: number,
  endAt: number,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const leftMs = Math.max(1000, endAt - performance.now());
    const lifeMs = Math.min(leftMs, 5000 + random(20_000));
    const isKilled = random(3) === 0;
    const protocols = ['consumer', 'classic'] as const;
    const protocol = values.protocol === 'mixed' ? protocols[place % 2]! : values.protocol;
    const hasThread = !values.transactions && random(2) === 0;
    const name = `m${place}-${i}`;
    const child = startMember(kafka, folder, {
      name,
      place,
      protocol,
      lifeMs: isKilled ? 3_600_000 : lifeMs,
      hasThread,
    });
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    if (isKilled) {
      await Promise.race([delay(lifeMs), ended]);
      killed.add(name);
      child.kill('SIGKILL');
      await ended;
      counts.kills++;
      continue;
    }
    const limit = new AbortController();
    const late = delay(lifeMs + memberLimitMs, 'late', { signal: limit.signal }).catch(() => 'late');
    const outcome = await Promise.race([ended, late]);
    limit.abort();
    if (typeof outcome === 'string') {
      failures.push(`${name} did not leave in time`);
      killed.add(name);
      child.kill('SIGKILL');
      await ended;
    } else if (outcome[0] !== 0) {
      failures.push(`${name} ended with exit code ${String(outcome[0])}`);
      killed.add(name);
    } else counts.leaves++;
  }
}

type Wanted = Pick<MemberJob, 'name' | 'place' | 'protocol' | 'lifeMs' | 'hasThread'>;

function startMember(kafka: KafkaFixture, folder: string, wanted: Wanted): ChildProcess {
  counts.joins++;
  const job: MemberJob = {
    servers: kafka.bootstrapServers,
    topic,
    results,
    groupId,
    seed: random(2 ** 31),
    ledger: join(folder, wanted.name),
    isTransactional: values.transactions,
    ...wanted,
  };
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const file = fileURLToPath(new URL(`./consumer-member${extension}`, import.meta.url));
  const args = ['--enable-source-maps', '--no-warnings', file, JSON.stringify(job)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Brokers are killed and started again, one at a time, and leaders go back to where they are preferred. */
async function makeTrouble(kafka: KafkaFixture, client: KafkaClient, signal: AbortSignal): Promise<void> {
  const chance = randomOf(values.seed + 1);
  while (!signal.aborted) {
    await delay(3000 + chance(7000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const broker = kafka.brokers[chance(kafka.brokers.length)]!;
    counts.brokerKills++;
    await broker.kill('SIGKILL');
    await delay(500 + chance(2000));
    await broker.start();
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    // Some may be led by their preferred replica already, or have nobody else in sync yet.
    await client
      .admin()
      .electLeaders(all, { timeoutMs: 10_000 })
      .then(
        () => counts.elections++,
        () => {},
      );
  }
}

async function ledgerLines(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    // A kill may cut the last line off.
    for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) {
      lines.push(line);
      const [, what, reader] = line.split(' ');
      if (reader === undefined) continue;
      if (what === 'k') {
        killed.add(reader);
        counts.threadDeaths++;
      }
      // The group has gone on without it, so it could not commit what was done.
      if (what === 'l') killed.add(reader);
    }
  }
  const timeOf = (line: string): number => Number(line.slice(0, line.indexOf(' ')));
  return lines
    .map((line, i) => ({ line, i }))
    .sort((a, b) => timeOf(a.line) - timeOf(b.line) || a.i - b.i)
    .map(({ line }) => line);
}

/** Reads until the group has committed everything. */
async function drain(
  kafka: KafkaFixture,
  folder: string,
  written: readonly (readonly number[])[],
  progress: RunProgress,
): Promise<void> {
  const protocol = values.protocol === 'classic' ? 'classic' : 'consumer';
  const child = startMember(kafka, folder, {
    name: 'last',
    place: 99,
    protocol,
    lifeMs: lastLifeMs,
    hasThread: false,
  });
  const ended = once(child, 'exit');
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
  });
  const reader = await client.consumer({ groupId, defaultApiTimeoutMs: 20_000 });
  const places = written.map((_, partition) => ({ topic, partition }));
  let [left, movedAt] = [Number.POSITIVE_INFINITY, performance.now()];
  for (;;) {
    const now = await Promise.all([reader.endOffsets(places), reader.committed(places)]).then(
      ([ends, committed]) => ends.reduce((sum, end, i) => sum + end.sub(committed[i]?.offset ?? 0).toNumber(), 0),
      (error: Error) => {
        const leaders = places.map((place) => client.cluster.leaderForPartition(place));
        progress.say(`${error.message}: ${String(error.cause)}; leaders ${leaders.join()}`);
        return Number.POSITIVE_INFINITY;
      },
    );
    if (now === 0) break;
    if (now < left) [left, movedAt] = [now, performance.now()];
    if (performance.now() > movedAt + drainLimitMs) {
      failures.push(`the last member came no further: ${left} offsets are not committed`);
      break;
    }
    await delay(500);
  }
  await reader.close();
  child.kill('SIGTERM');
  await ended;
}

/** Of transactions: what readers of committed records see has every number once. */
async function judgeResults(client: KafkaClient, written: readonly (readonly number[])[]): Promise<Verdict> {
  const assign = written.map((_, partition) => ({ topic: results, partition, offset: 'earliest' as const }));
  const reader = await client.consumer({ assign, isolationLevel: 'read_committed' });
  const verdict = newVerdict();
  const seen = written.map(() => new Set<number>());
  const upTo = written.map(() => -1);
  const ends = await reader.endOffsets(assign);
  const deadline = performance.now() + drainLimitMs;
  while (assign.some((place, i) => !(reader.position(place)?.gte(ends[i]!) ?? false)) || reader.lag() > 0) {
    if (performance.now() > deadline) throw new Error('the results were not read in time');
    const batch = await reader.poll(1000);
    if (batch === null) continue;
    for (const { value } of batch) {
      const [partition, number] = value!.toString().split(' ').map(Number) as [number, number];
      if (seen[partition]!.has(number)) verdict.duplicatesOutsideRebalances++;
      else if (number < upTo[partition]!) verdict.reordered++;
      seen[partition]!.add(number);
      upTo[partition] = Math.max(number, upTo[partition]!);
      verdict.consumed++;
    }
    batch.done();
  }
  for (const [partition, numbers] of written.entries())
    for (const number of numbers) if (!seen[partition]!.has(number)) verdict.lost++;
  await reader.close();
  return verdict;
}

process.exitCode = await main();
