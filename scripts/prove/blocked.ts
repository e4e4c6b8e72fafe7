// Owns the proof that a blocked application stays a member: a real broker, a session of 10 s, an application thread that computes for
// longer. Prints one JSON line; exit code 1 when a member was expelled, or a record was lost or read twice.
//   npm run prove -- blocked --seconds 600

import { startKafka } from '../../test/kafka/fixture/index.ts';
import { integerFrom, scriptCommand } from '../arguments.ts';
import { RunProgress } from '../run-progress.ts';
import { blockedProperties, isUntouched, readBlocked } from './blocked-member.ts';

const { seconds } = scriptCommand('npm run prove -- blocked', 'An application that blocks its thread stays a member.')
  .option('--seconds <number>', 'how long', integerFrom(1), 60)
  .parse(process.argv.slice(3), { from: 'user' })
  .opts<{ readonly seconds: number }>();

const progress = await RunProgress.open();
progress.begin({ name: 'start', limitMs: null });
const kafka = await startKafka({ brokers: 1, extraProperties: blockedProperties });
try {
  const blocks = {
    begin: (limitMs: number) => progress.begin({ name: 'blocked', limitMs }),
    // The timer of the progress does not run while this thread is blocked.
    goesOn: () => progress.update(),
    end: () => progress.begin({ name: 'read', limitMs: null }),
  };
  const members = await readBlocked(kafka.bootstrapServers, seconds * 1000, blocks);
  progress.end();
  const ok = members.length === 2 && members.every(isUntouched);
  process.stdout.write(`${JSON.stringify({ proof: 'blocked', seconds, members, kafka: kafka.version, ok })}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  progress.stop();
  await kafka.stop();
}
