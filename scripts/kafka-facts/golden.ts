// Owns how the golden vectors are made: which release is used for which message version, and how the files are packed. The Java programs do
// the rest. Must not write into the project.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KafkaClients, olderRelease } from './java.ts';

/**
 * With the same seed, versions that did not change keep their bytes. An even seed makes sets of 50 records and values of
 * 200,000 bytes, an odd one other sizes.
 */
const seed = '20260902';

/** Version 0 of these messages was an early access of 3.9 with other fields. No released broker offers it by default. */
const earlyAccess = new Set(['ShareGroupHeartbeat', 'ShareGroupDescribe', 'ShareFetch', 'ShareAcknowledge']);

interface VectorName {
  readonly kind: string;
  readonly apiKey: number | null;
  readonly name: string;
  readonly version: number;
}

/**
 * The text of messages.jsonl: one line for each vector. A message version is taken from the newest release that has it.
 * @param older used for versions that newer releases have dropped
 */
export async function goldenMessages(newest: KafkaClients, older: KafkaClients, work: string): Promise<string> {
  const taken = new Set<string>();
  const kept: string[] = [];
  for (const clients of [newest, older]) {
    const file = join(work, `messages-${clients.release}.jsonl`);
    await clients.run('GoldenMessages', [clients.release, seed, file]);
    const fresh = new Set<string>();
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const vector = JSON.parse(line) as VectorName;
      const key = [vector.kind, vector.apiKey ?? vector.name, vector.version].join(' ');
      if (taken.has(key) || isEarlyAccess(vector)) continue;
      fresh.add(key);
      kept.push(line);
    }
    for (const key of fresh) taken.add(key);
  }
  return `${kept.join('\n')}\n`;
}

/** The text of records.jsonl, and the differences between the newest release's reading and the release that wrote it. */
export async function goldenRecords(
  newest: KafkaClients,
  older: KafkaClients,
  work: string,
): Promise<{ readonly text: string; readonly readAgain: string }> {
  if (older.release !== olderRelease) throw new Error(`record sets are written with ${olderRelease}`);
  const file = join(work, 'records.jsonl');
  await older.run('GoldenRecords', [seed, file]);
  const readAgain = await newest.run('RecordReader', [file]);
  return { text: readFileSync(file, 'utf8'), readAgain };
}

function isEarlyAccess({ name, version }: VectorName): boolean {
  return version === 0 && earlyAccess.has(name.replace(/(Request|Response)$/, ''));
}
