// Owns the proof that a blocked application loses nothing: a real broker that stands still for a while, an application whose buffer is full
// and whose main thread then computes for longer than the time limit of a delivery. Everything must be acknowledged meanwhile. A checker
// in another process reads it back, and Kafka's own consumer too. Prints one JSON line; exit code 1 when a record expired, was lost,
// doubled or out of order.
//   npm run prove -- blocked-producer --seconds 60

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type KafkaFixture, startKafka } from '../../test/kafka/fixture/index.ts';
import { numberAbove, scriptCommand } from '../arguments.ts';
import { RunProgress } from '../run-progress.ts';
import { type BlockedTask, type BlockedWriterReport, topic } from './blocked-writer.ts';
import { checkProduced, isFaultless } from './producer-check.ts';
import { compareWithJava } from './reading.ts';

/** The broker goes on after this part of the block. */
const stalledShare = 1 / 6;
/** The time limit of a delivery is this part of the block, so that a clock of the blocked thread would expire everything. */
const deliveryShare = 1 / 2;

const { seconds } = scriptCommand(
  'npm run prove -- blocked-producer',
  'What the buffer of a blocked application holds is delivered.',
)
  .option('--seconds <number>', 'how long the application thread is blocked', numberAbove(0), 60)
  .parse(process.argv.slice(3), { from: 'user' })
  .opts<{ readonly seconds: number }>();

const progress = await RunProgress.open();
progress.begin({ name: 'start', limitMs: null });
const kafka = await startKafka({ ownBroker: true });
const folder = await mkdtemp(join(tmpdir(), 'prove-blocked-producer-'));
try {
  const ledger = join(folder, 'ledger');
  const deliveryTimeoutMs = Math.ceil(seconds * 1000 * deliveryShare);
  const task = { servers: kafka.bootstrapServers, blockedMs: seconds * 1000, deliveryTimeoutMs, ledger };
  const report = await runWriter(kafka, task);
  progress.begin({ name: 'check', limitMs: null });
  const { verdict, readings } = await checkProduced(kafka.bootstrapServers, topic, ledger);
  const java = await compareWithJava(kafka.bootstrapServers, topic, readings);
  progress.end();
  const ok =
    report.failed === 0 &&
    report.acknowledgedWhileBlocked === report.accepted &&
    verdict.read === report.accepted &&
    isFaultless(verdict) &&
    (typeof java === 'string' || java.agrees);
  const line = { proof: 'blocked-producer', seconds, deliveryTimeoutMs, ...report, ...verdict, java };
  process.stdout.write(`${JSON.stringify({ ...line, kafka: kafka.version, ok })}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  progress.stop();
  await kafka.stop();
  await rm(folder, { recursive: true, force: true });
}

/** The broker stands still from before the first record of the full buffer until a part of the block is over. */
async function runWriter(broker: KafkaFixture, task: BlockedTask): Promise<BlockedWriterReport> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const file = fileURLToPath(new URL(`./blocked-writer${extension}`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', file, JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  try {
    const lines = linesOf(child, ended);
    await lines.next();
    await broker.kill('SIGSTOP');
    child.stdin.write('fill\n');
    await lines.next();
    progress.begin({ name: 'blocked', limitMs: task.blockedMs });
    await delay(task.blockedMs * stalledShare);
    await broker.kill('SIGCONT');
    const report = await lines.next();
    const [code] = await ended;
    if (code !== 0) throw new Error(`the writer ended with exit code ${code}`);
    return JSON.parse(report) as BlockedWriterReport;
  } finally {
    child.kill('SIGKILL');
  }
}

interface Lines {
  next(): Promise<string>;
}

/** What the child prints, line by line. Fails when it ends before it has printed one. */
function linesOf(child: ChildProcess, ended: Promise<unknown>): Lines {
  let text = '';
  let onText = (): void => {};
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    onText();
  });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
    onText();
  });
  return {
    async next() {
      while (!text.includes('\n')) {
        if (hasEnded) throw new Error('the writer ended before it had said what it should');
        await new Promise<void>((resolve) => {
          onText = resolve;
        });
      }
      const end = text.indexOf('\n');
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return line;
    },
  };
}
