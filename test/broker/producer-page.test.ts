// docs/producer.md: its programs run one after the other, and its options exist.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';
import { programsOf } from './support/page-programs.ts';

const run = promisify(execFile);
const page = readFileSync(join(projectFolder, 'docs', 'producer.md'), 'utf8');
const programs = programsOf(page);
const library = new URL('../../src/index.js', import.meta.url).href;

/** What the page takes for granted after its first program. */
const prelude = `
import { KafkaClient } from 'offthread-kafka';
const client = await KafkaClient.start({ bootstrapServers: 'localhost:9092' });
const producer = await client.producer();
const lines = ['one', 'two', 'three'];
`;

test('the programs of the page run and print what the page says', async () => {
  assert.equal(programs.length, 5);
  const folder = mkdtempSync(join(tmpdir(), 'producer-page-'));
  const broker = await startEmbeddedBroker();
  try {
    await broker.createTopic('transfers');
    const outputs: string[] = [];
    for (const [index, program] of programs.entries()) {
      const whole = index === 0 ? program : `${prelude}${program}await client.close();\n`;
      const file = join(folder, `program-${index}.mjs`);
      writeFileSync(
        file,
        whole
          .replace("from 'offthread-kafka'", `from ${JSON.stringify(library)}`)
          .replace('localhost:9092', broker.bootstrapServers[0]!),
      );
      const { stdout } = await run(process.execPath, [...patientNode, file], { timeout: 300_000 });
      outputs.push(stdout);
    }
    assert.equal(outputs[0], 'partition 0, offset 0\n');
    assert.equal((await broker.log('lines', 0)).endOffset, 6);
    assert.equal((await broker.log('numbers', 0)).endOffset, 100_000);
    assert.ok((await broker.log('credits', 0)).endOffset >= 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await broker.close();
  }
});
