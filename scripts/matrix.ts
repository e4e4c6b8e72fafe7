// Checks the client against real brokers of many versions, one after another, and prints a table as Markdown.
//
//     npm run matrix                               every release
//     npm run matrix -- --versions 0.8.2.2,4.4.0   some
//     npm run matrix -- --versions 4.4.0 --ranges  and the version ranges of each, for test/unit/worker/support/released-ranges.ts
//
// Needs Java 17 and Maven. Exit code 1 when a check failed; the errors follow the table.

import { ApiVersions } from '../src/index.ts';
import { compareVersions, type KafkaFixture, kafkaAvailability, startKafka } from '../test/kafka/fixture/index.ts';
import { type Check, checks, matrixReleases } from '../test/kafka/matrix/checks.ts';
import { node, Session } from '../test/kafka/matrix/session.ts';
import { scriptCommand } from './arguments.ts';

interface Row {
  readonly release: string;
  readonly cells: readonly string[];
  readonly failures: readonly string[];
  /** `key:min-max`, in the order of keys. Empty if brokers do not send them. */
  readonly ranges: string;
}

async function main(): Promise<number> {
  const values = scriptCommand('npm run matrix --', 'Checks the client with brokers of many releases of Kafka.')
    .option('--versions <releases>', 'only these, separated by commas')
    .option('--ranges', 'also print the ranges of API versions of each')
    .parse()
    .opts<{ readonly versions?: string; readonly ranges?: boolean }>();
  const releases = values.versions?.split(',').map((text) => text.trim()) ?? matrixReleases;
  const rows: Row[] = [];
  const head = ['Kafka', ...checks.map(({ name }) => name)];
  print(`Kafka brokers on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}\n`);
  printRow(head);
  printRow(head.map(() => '---'));
  for (const release of releases) {
    const row = await checkRelease(release);
    rows.push(row);
    printRow([row.release, ...row.cells]);
  }
  const failures = rows.flatMap((row) => row.failures);
  if (values.ranges === true) for (const { release, ranges } of rows) print(`\n${release} ${ranges}`);
  for (const failure of failures) print(`\n${failure}`);
  print(`\n${rows.length} versions, ${failures.length} checks failed`);
  return failures.length === 0 ? 0 : 1;
}

async function checkRelease(release: string): Promise<Row> {
  const failed = (error: unknown): Row => ({
    release,
    cells: checks.map(() => '?'),
    failures: [textOf(release, error)],
    ranges: '',
  });
  const availability = kafkaAvailability(release, true);
  if (!availability.available) return failed(availability.reason);
  let kafka: KafkaFixture | null = null;
  try {
    kafka = await startKafka({ version: release });
    const session = await Session.open(kafka, release);
    try {
      return await runChecks(session);
    } finally {
      await session.close();
    }
  } catch (error) {
    return failed(error);
  } finally {
    await kafka?.stop();
  }
}

async function runChecks(session: Session): Promise<Row> {
  const cells: string[] = [];
  const failures: string[] = [];
  for (const check of checks) {
    try {
      cells.push(await runCheck(check, session));
    } catch (error) {
      cells.push('FAILED');
      failures.push(textOf(`${session.release}, ${check.name}`, error));
    }
  }
  return { release: session.release, cells, failures, ranges: await rangesOf(session) };
}

async function rangesOf({ client, release }: Session): Promise<string> {
  if (compareVersions(release, '0.10.0') < 0) return '';
  const { apiKeys } = await client.send(node, ApiVersions, {}, { version: 0 });
  const ranges = apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion }));
  ranges.sort((a, b) => a.apiKey - b.apiKey);
  return ranges.map(({ apiKey, minVersion, maxVersion }) => `${apiKey}:${minVersion}-${maxVersion}`).join(' ');
}

async function runCheck({ since, run }: Check, session: Session): Promise<string> {
  return compareVersions(session.release, since) < 0 ? '-' : run(session);
}

function textOf(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function printRow(cells: readonly string[]): void {
  print(`| ${cells.join(' | ')} |`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
