// What a person sees of a soak or a proof.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RunProgress } from '../../../scripts/run-progress.ts';

async function openProgress(): Promise<{ readonly progress: RunProgress; readonly lines: () => string[] }> {
  let text = '';
  const out = {
    write(more: string): boolean {
      text += more;
      return true;
    },
  };
  const progress = await RunProgress.open(out as unknown as NodeJS.WriteStream);
  return { progress, lines: () => text.split('\n').slice(0, -1) };
}

describe('progress of a run with a time limit', () => {
  test('without a terminal: one line for each phase that has ended, and what is said between them', async () => {
    const { progress, lines } = await openProgress();
    progress.begin({ name: 'start', limitMs: null });
    progress.begin({ name: 'faults', limitMs: 3_600_000, records: () => 12_345 });
    progress.update();
    progress.say('rest at 60 s');
    progress.end();
    progress.stop();
    const [start, rest, faults, ...more] = lines();
    assert.match(start!, /^start +\d+ s$/);
    assert.equal(rest, 'rest at 60 s');
    assert.match(faults!, /^faults +100 % +12,345 records/);
    assert.deepEqual(more, []);
  });

  test('a run that has failed says nothing more', async () => {
    const { progress, lines } = await openProgress();
    progress.begin({ name: 'faults', limitMs: 1000 });
    progress.stop();
    progress.update();
    progress.end();
    assert.deepEqual(lines(), []);
  });
});
