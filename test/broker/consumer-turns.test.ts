// An application that never waits for records still lets its own timers and sockets run, with the embedded broker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxTurnMs } from '../../src/main/link/turn-budget.ts';
import { GroupBench } from './support/group-bench.ts';

const bench = new GroupBench();
const records = 300;
/** Until then this thread may have to wait for records, and then timers run anyway. */
const firstCounted = 100;

test('a loop over batches that are always ready lets timers run', async (t) => {
  await bench.begin({ topics: { t: 1 } });
  // Each append is a batch of the log, and each batch of the log is handed out alone.
  for (let i = 0; i < records; i++) await bench.broker.append('t', 0, [{ value: String(i) }]);
  const consumer = await bench.start({ batchMaxBytes: 1 });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  t.after(() => clearInterval(timer));
  let seen = 0;
  let turnsBefore = 0;
  for await (const batch of consumer) {
    assert.equal(batch.count, 1);
    // The application computes for a turn, and so the network thread is always ahead.
    for (const end = performance.now() + maxTurnMs; performance.now() < end; );
    seen++;
    if (seen === firstCounted) turnsBefore = turns;
    if (seen === records) break;
  }
  const counted = turns - turnsBefore;
  assert.ok(
    counted > (records - firstCounted) / 4,
    `timers ran ${counted} times beside ${records - firstCounted} batches`,
  );
});
