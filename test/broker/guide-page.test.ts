// docs/guide.md: its programs run as they are given, one after the other, on one cluster.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';
import { programsOf } from './support/page-programs.ts';

const run = promisify(execFile);
const page = readFileSync(join(projectFolder, 'docs/guide.md'), 'utf8');
const programs = programsOf(page);
const outputs: readonly RegExp[] = [
  /^1000 written, 0 failed\n$/,
  /^20 MB through 2 MiB of memory, 0 failed, it (had to wait|never waited)\n$/,
  /^\d{4,} orders\n$/,
  /^records from the beginning\n$/,
  /^0 results failed\n$/,
  /^all orders by 2 workers\n$/,
  /^ended in order\n$/,
];

describe('the programs of the guide', () => {
  let broker: EmbeddedBroker;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'guide-page-'));
    broker = await startEmbeddedBroker({ topics: { orders: 4, results: 1 } });
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  });

  test('are as many as the outputs in this test', () => assert.equal(programs.length, outputs.length));

  for (const [i, expected] of outputs.entries()) {
    test(`number ${i + 1} does what the page says`, async () => {
      const library = new URL('../../src/index.js', import.meta.url).href;
      // As it is given, but for the name of the package.
      const program = programs[i]!.replaceAll("'offthread-kafka'", JSON.stringify(library));
      const file = join(folder, `program-${i}.mjs`);
      writeFileSync(file, program);
      const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(',') };
      const { stdout, stderr } = await run(process.execPath, [...patientNode, file], { env, timeout: 300_000 });
      assert.match(stdout, expected, stderr);
    });
  }
});
