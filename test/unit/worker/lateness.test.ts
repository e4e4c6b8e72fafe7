// When a thread that was stopped or busy may judge deadlines.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Lateness } from '../../../src/worker/lateness.ts';

let lateness: Lateness;

beforeEach(() => {
  lateness = new Lateness();
  lateness.roundBegins(1000, false);
});

test('without a deadline, and before it, nobody is late', () => {
  assert.equal(lateness.roundBegins(900_000, false), 0);
  lateness.roundEnded(2_000_000);
  assert.equal(lateness.roundBegins(1_999_999, true), 0);
  assert.ok(lateness.mayJudge);
});

test('a little late is in time', () => {
  lateness.roundEnded(2000);
  assert.equal(lateness.roundBegins(2100, false), 0);
  assert.ok(lateness.mayJudge);
});

test('who is late reads for two turns, whatever moves come between, and the second one judges', () => {
  lateness.roundEnded(2000);
  assert.equal(lateness.roundBegins(60_000, false), 58_000);
  assert.equal(lateness.mayJudge, false);
  lateness.roundEnded(2000);
  lateness.roundBegins(60_001, false);
  assert.equal(lateness.mayJudge, false);
  lateness.roundBegins(60_002, true);
  assert.equal(lateness.mayJudge, false);
  lateness.roundBegins(60_003, false);
  lateness.roundBegins(60_004, true);
  assert.ok(lateness.mayJudge);
});

test('a turn that finds itself late is not one of the two', () => {
  lateness.roundEnded(2000);
  lateness.roundBegins(60_000, true);
  lateness.roundBegins(60_001, true);
  assert.equal(lateness.mayJudge, false);
  lateness.roundBegins(60_002, true);
  assert.ok(lateness.mayJudge);
});

test('a deadline that stays in the past makes nobody late, only the time since the last round does', () => {
  lateness.roundEnded(2000);
  for (let now = 60_000; now < 60_010; now++) {
    lateness.roundBegins(now, true);
    lateness.roundEnded(2000);
  }
  assert.ok(lateness.mayJudge);
  assert.equal(lateness.roundBegins(65_000, false), 4991);
  assert.equal(lateness.mayJudge, false);
});

test('who is late in every round judges nevertheless', () => {
  let judged = 0;
  for (let now = 2000; now < 100_000; now += 1000) {
    lateness.roundEnded(1500);
    lateness.roundBegins(now, true);
    if (lateness.mayJudge) judged++;
  }
  assert.ok(judged > 20, `${judged} times`);
});
