// Makes the facts for the tests of this project's protocol from the jars of a Kafka release:
//
//     npm run kafka-facts -- 4.4.0           compares; exit code 1 where a fixture differs
//     npm run kafka-facts -- 4.5.0 --write   replaces the fixtures, and prints what the release has changed
//
//   test/fixtures/messages.json   every message, field and version, from the definitions inside kafka-clients
//   test/fixtures/errors.json     every error code, from the classes Errors and its exceptions
//   test/fixtures/golden/         bytes and values, written by Kafka's own classes
//
// Needs Java 17 and Maven. CONTRIBUTING.md says how to use it.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { scriptCommand } from '../arguments.ts';
import { projectFolder } from '../project.ts';
import { differences, type Facts, factsAfter, factsText } from './definitions.ts';
import { goldenMessages, goldenRecords } from './golden.ts';
import { KafkaClients, olderRelease } from './java.ts';

const fixtures = join(projectFolder, 'test', 'fixtures');

/** Writes a text to its file, or reports that the file differs. */
class Target {
  readonly #isWriting: boolean;
  isDifferent = false;

  constructor(isWriting: boolean) {
    this.#isWriting = isWriting;
  }

  put(path: string, text: string): void {
    const file = join(fixtures, path);
    const isPacked = path.endsWith('.gz');
    const before = existsSync(file) ? readFileSync(file) : null;
    const known = before === null ? null : (isPacked ? gunzipSync(before) : before).toString('utf8');
    if (known === text) {
      print(`${path}: the same`);
      return;
    }
    this.isDifferent = true;
    print(`${path}: ${linesOf(known ?? '')} lines before, ${linesOf(text)} now${this.#isWriting ? '; written' : ''}`);
    if (this.#isWriting) writeFileSync(file, isPacked ? gzipSync(text, { level: 9 }) : text);
  }
}

async function main(): Promise<number> {
  const command = scriptCommand('npm run kafka-facts --', 'Makes the facts for tests from the jars of a release.')
    .argument('<release>', 'such as 4.4.0')
    .option('--write', 'replace the fixtures', false)
    .parse();
  const [release] = command.args as [string];
  const { write } = command.opts<{ readonly write: boolean }>();
  const work = mkdtempSync(join(tmpdir(), 'kafka-facts-'));
  const target = new Target(write);
  try {
    const newest = await KafkaClients.fetch(release, work);
    const older = await KafkaClients.fetch(olderRelease, work);
    await putMessages(newest, target);
    await newest.run('KafkaErrors', [join(work, 'errors.json')]);
    target.put('errors.json', readFileSync(join(work, 'errors.json'), 'utf8'));
    target.put('golden/messages.jsonl.gz', await goldenMessages(newest, older, work));
    const records = await goldenRecords(newest, older, work);
    print(records.readAgain.trim().replace(/^/gm, '  '));
    target.put('golden/records.jsonl.gz', records.text);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target.isDifferent && !write ? 1 : 0;
}

async function putMessages(newest: KafkaClients, target: Target): Promise<void> {
  const known = JSON.parse(readFileSync(join(fixtures, 'messages.json'), 'utf8')) as Facts;
  const facts = factsAfter(known, newest.release, await newest.definitions());
  target.put('messages.json', factsText(facts));
  for (const line of differences(known, facts)) print(`  ${line}`);
}

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
