// Writes profiles of both threads of this client for the main workloads to bench/results/profiles: the dearest functions of each thread, as text. Lines
// are those of the compiled code. It tells no rows.
//   npm run bench:peers -- profiles

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import type { BenchRow } from '../support/rows.ts';
import { measure, measureMs, type Stage, type Workload } from './support/harness.ts';
import { dearestFunctions } from './support/profile.ts';
import { brokerStage, withFilled, withWritten } from './support/stage.ts';

const partitions = 4;
const functions = 30;
const sizes = [
  { words: '100 B', valueBytes: 100, endOffset: 1_200_000 },
  { words: '1 KiB', valueBytes: 1024, endOffset: 300_000 },
] as const;

export async function run(): Promise<readonly BenchRow[]> {
  const stage = await brokerStage();
  for (const { words, ...size } of sizes) {
    const shared = { ...size, partitions, mostRounds: 1 };
    for await (const _ of withFilled(stage, { ...size, partitions, isVaried: true }, async function* (topic) {
      const peers = ['this client'] as const;
      yield profile(stage, { ...shared, topic, work: 'read', peers, name: `consume ${words}` });
      const raw = ["this client's Fetch and Produce"] as const;
      yield profile(stage, { ...shared, topic, work: 'read', peers: raw, name: `fetch ${words}` });
    }));
    for await (const _ of withWritten(stage, partitions, async function* (topic) {
      yield profile(stage, { ...shared, topic, work: 'write', peers: ['this client'], name: `produce ${words}` });
    }));
  }
  return [];
}

async function profile(stage: Stage, workload: Workload): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'offthread-kafka-profile-'));
  try {
    for await (const row of measure({ ...stage, profileFolder: folder }, workload)) {
      if ('missing' in row) throw new Error(row.reason);
    }
    const results = join(projectFolder, 'bench', 'results', 'profiles');
    mkdirSync(results, { recursive: true });
    for (const file of readdirSync(folder)) {
      // CPU.date.time.pid.thread.number.cpuprofile
      const thread = file.split('.').at(-3) === '0' ? 'main' : 'network';
      const name = `${workload.name.replaceAll(' ', '-')}.${thread}.txt`;
      writeFileSync(
        join(results, name),
        dearestFunctions(readFileSync(join(folder, file), 'utf8'), functions, measureMs),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
