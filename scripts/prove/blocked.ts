// Owns the proof that a blocked application stays a member: a real broker, a session of 10 s, an application thread that computes for
// longer. Prints one JSON line; exit code 1 when a member was expelled, or a record was lost or read twice.
//   npm run prove -- blocked --seconds 600

import { parseArgs } from 'node:util';
import { startKafka } from '../../test/kafka/fixture/index.ts';
import { blockedProperties, isUntouched, readBlocked } from './blocked-member.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' } },
});

const kafka = await startKafka({ brokers: 1, extraProperties: blockedProperties });
try {
  const seconds = Number(values.seconds);
  const members = await readBlocked(kafka.bootstrapServers, seconds * 1000);
  const ok = members.length === 2 && members.every(isUntouched);
  process.stdout.write(`${JSON.stringify({ proof: 'blocked', seconds, members, kafka: kafka.version, ok })}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  await kafka.stop();
}
