// The command line at a cluster with many topics: a line for each, and memory that grows with their number and no faster.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Ended, runCommandLine } from '../helpers/command-line.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';

const few = 1000;
const many = 10_000;
/** Below it growth is what the collector leaves, and says nothing of topics. */
const noiseKib = 20 * 1024;
const nameOf = (i: number): string => `a-topic-with-a-name-of-some-length-${i}`;
const tellMemory = "process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))";

interface Listed extends Ended {
  /** The most memory that the process had. */
  readonly peakKib: number;
}

async function listed(topics: number, args: readonly string[]): Promise<Listed> {
  const broker = await startEmbeddedBroker({
    topics: Object.fromEntries(Array.from({ length: topics }, (_, i) => [nameOf(i), 1])),
  });
  try {
    const environment = {
      KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers.join(','),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tellMemory)}`,
    };
    const ended = await runCommandLine([...args, '--timeout', '240000'], { environment });
    assert.equal(ended.exitCode, 0, ended.stderr);
    // The threads of the process tell it, too.
    const peaks = [...ended.stderr.matchAll(/^peak (\d+)$/gm)].map(([, kib]) => Number(kib));
    assert.ok(peaks.length > 0, ended.stderr);
    return { ...ended, peakKib: Math.max(...peaks) };
  } finally {
    await broker.close();
  }
}

describe('the command line and 10,000 topics', () => {
  for (const [what, args, lineOf] of [
    ['their offsets', ['offsets'], (i: number) => `${nameOf(i)}:0:0`],
    ['their names', ['topics', '--list'], nameOf],
  ] as const) {
    test(`${what} are listed, and the memory for a topic does not grow with their number`, async () => {
      const one = await listed(1, args);
      const growthOfFew = (await listed(few, args)).peakKib - one.peakKib;
      const { lines, peakKib } = await listed(many, args);
      assert.deepEqual([...lines].sort(), Array.from({ length: many }, (_, i) => lineOf(i)).sort());
      const limitKib = (many / few) * Math.max(growthOfFew, noiseKib);
      assert.ok(
        peakKib - one.peakKib < limitKib,
        `${few} topics: ${growthOfFew} KiB, ${many}: ${peakKib - one.peakKib} KiB`,
      );
    });
  }
});
