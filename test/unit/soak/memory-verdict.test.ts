// What a soak says of its memory: what the program holds is judged by its slope, compiled code by a limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxCodeMiB, memoryVerdict } from '../../../scripts/soak/memory-verdict.ts';
import { Moments, rested } from '../../../scripts/soak/moments.ts';

const zeros = Object.fromEntries(Object.keys(rested).map((name) => [name, 0])) as Record<keyof typeof rested, number>;

/** An hour of rests. @param dataPerHour @param codePerHour MiB */
function hour(dataPerHour: number, codePerHour: number, codeMiB = 10): Moments<keyof typeof rested> {
  const rests = new Moments(rested, 60);
  for (let minute = 1; minute <= 60; minute++) {
    const dataMiB = 50 + (dataPerHour * minute) / 60;
    const code = codeMiB + (codePerHour * minute) / 60;
    rests.push(minute * 60, { ...zeros, dataMiB, codeMiB: code, usedMiB: dataMiB + code });
  }
  return rests;
}

test('what the program holds must be flat, and a short run must not show growth', () => {
  assert.equal(memoryVerdict(hour(0.2, 0), 60).isRight, true);
  assert.equal(memoryVerdict(hour(1.5, 0), 60).isRight, false);
  assert.equal(memoryVerdict(hour(1.5, 0), 20).isRight, false);
  assert.equal(memoryVerdict(hour(1.5, 0), 5).isRight, true, 'it was only warm-up');
});

test('what connections receive into is not held against the rest, but must be flat, too', () => {
  const rests = (receivePerHour: number): Moments<keyof typeof rested> => {
    const all = new Moments(rested, 60);
    for (let minute = 1; minute <= 60; minute++) {
      const receiveMiB = 1 + (receivePerHour * minute) / 60;
      all.push(minute * 60, { ...zeros, dataMiB: 50, receiveMiB, usedMiB: 50 + receiveMiB });
    }
    return all;
  };
  assert.equal(memoryVerdict(rests(0.1), 60).isRight, true);
  assert.equal(memoryVerdict(rests(1.5), 60).isRight, false);
});

test('compiled code may grow up to a limit, and is told', () => {
  const verdict = memoryVerdict(hour(0.2, 2), 60);
  assert.equal(verdict.isRight, true);
  assert.equal(verdict.code.mibPerHour, 2);
  assert.equal(verdict.used.mibPerHour, 2.2);
  assert.equal(memoryVerdict(hour(0.2, 2, maxCodeMiB - 1), 60).isRight, false);
});
