// docs/consumer.md: its programs run, and its table has every option.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { consumerOptions } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';
import { programsOf } from './support/page-programs.ts';

const run = promisify(execFile);
const page = readFileSync(join(projectFolder, 'docs/consumer.md'), 'utf8');
const programs = programsOf(page);
const outputs = [
  '0 0: one\n0 1: two\n0 2: three\n0 3: four\n',
  '15 bytes\n',
  'three four\n',
  '4 records\n',
  '4 records in another thread\n',
  'one\ntwo\nthree\nfour\n',
];

describe('the programs of the page about consumers', () => {
  let broker: EmbeddedBroker;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'consumer-page-'));
    broker = await startEmbeddedBroker({ topics: { lines: 1 } });
    await broker.append(
      'lines',
      0,
      ['one', 'two', 'three', 'four'].map((value) => ({ value })),
    );
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  });

  test('are as many as the outputs in this test', () => assert.equal(programs.length, outputs.length));

  for (const [i, expected] of outputs.entries()) {
    test(`number ${i + 1} prints what the page says`, async () => {
      const library = new URL('../../src/index.js', import.meta.url).href;
      // As it is given, but for the name of the package.
      const program = programs[i]!.replaceAll("'offthread-kafka'", JSON.stringify(library));
      const file = join(folder, `program-${i}.mjs`);
      writeFileSync(file, program);
      const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') };
      const { stdout, stderr } = await run(process.execPath, [...patientNode, file], { env, timeout: 300_000 });
      assert.equal(stdout, expected, stderr);
    });
  }
});

test('the table of the page has every option with its default and its description', () => {
  for (const [key, option] of Object.entries(consumerOptions)) {
    const row = `| \`${key}\` | ${option.default === '' ? "''" : String(option.default)} | ${option.doc} |`;
    assert.ok(page.includes(row), `docs/consumer.md lacks: ${row}`);
  }
});
