import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnrecognizedBrokerVersion } from '../../../../src/common/errors/errors.ts';
import { inferBrokerVersion } from '../../../../src/worker/client/api-versions.ts';
import {
  findVersion,
  hasApiVersions,
  knownBrokerVersions,
  matchVersion,
  rangesOfVersion,
} from '../../../../src/worker/client/broker-versions.ts';
import { releasedRanges } from '../support/released-ranges.ts';

function text(version: readonly number[]): string {
  return [...rangesOfVersion(version)].map(([key, { min, max }]) => `${key}:${min}-${max}`).join(' ');
}

for (const [given, known] of [
  [
    [2, 8],
    [2, 8],
  ],
  [
    [0, 10],
    [0, 10, 0],
  ],
  [
    [0, 8],
    [0, 8, 0],
  ],
  [
    [0, 8, 2, 2],
    [0, 8, 2],
  ],
  [
    [0, 9, 0, 1],
    [0, 9],
  ],
  [
    [0, 9, 9],
    [0, 9],
  ],
  [[1], [1, 0]],
  [
    [2, 8, 2],
    [2, 8],
  ],
  [
    [3, 10],
    [3, 9],
  ],
  [
    [4, 4],
    [4, 4],
  ],
  [
    [4, 4, 2],
    [4, 4],
  ],
] as const) {
  test(`[${given.join(', ')}] stands for [${known.join(', ')}]`, () => {
    assert.deepEqual(matchVersion(given), known);
  });
}

test('a version older than every known version is refused', () => {
  for (const given of [[0], [0, 1], [0, 7, 99]]) {
    assert.equal(findVersion(given), undefined);
    assert.throws(() => matchVersion(given), UnrecognizedBrokerVersion);
  }
});

test('a release newer than every known release is refused, and is not taken for an older one', () => {
  for (const given of [[4, 5], [4, 5, 0], [4, 10], [5], [9, 9]]) {
    assert.throws(() => matchVersion(given), {
      name: 'UnrecognizedBrokerVersion',
      message: new RegExp(
        `apiVersion \\[${given.join(', ')}\\] is newer than .* the newest is \\[4, 4\\]: leave apiVersion out`,
      ),
    });
  }
});

test('brokers without ApiVersions have fixed ranges', () => {
  assert.equal(text([0, 8, 0]), '0:0-0 1:0-0 2:0-0 3:0-0');
  assert.equal(text([0, 8, 1]), '0:0-0 1:0-0 2:0-0 3:0-0 8:0-0 9:0-0');
  assert.equal(text([0, 8, 2]), '0:0-0 1:0-0 2:0-0 3:0-0 8:0-1 9:0-1 10:0-0');
  const groups = [11, 12, 13, 14, 15, 16].map((key) => `${key}:0-0`).join(' ');
  assert.equal(text([0, 9]), `0:0-1 1:0-1 2:0-0 3:0-0 8:0-2 9:0-1 10:0-0 ${groups}`);
});

test('ApiVersions is used from 0.10 on', () => {
  assert.equal(hasApiVersions([0, 9]), false);
  assert.equal(hasApiVersions([0, 8, 2]), false);
  for (const version of [
    [0, 10, 0],
    [0, 11],
    [4, 4],
  ]) {
    assert.ok(hasApiVersions(version));
  }
});

test('every known version that answers ApiVersions is recognised by its own table', () => {
  // Brokers of 3.4 without ZooKeeper offer what 3.3 did; the table has what those with ZooKeeper added.
  for (const version of knownBrokerVersions.filter(hasApiVersions)) {
    assert.deepEqual(inferBrokerVersion(rangesOfVersion(version)), version);
  }
});

for (const line of releasedRanges.trim().split('\n')) {
  const [release, ...entries] = line.split(' ');
  test(`the table of ${release} allows what such a broker answered, and is recognised`, () => {
    const parts = release!.split('.').map(Number);
    const version = matchVersion(parts);
    const table = rangesOfVersion(version);
    for (const entry of entries) {
      const [key, min, max] = entry.split(/[:-]/).map(Number) as [number, number, number];
      assert.deepEqual(table.get(key), { min, max }, entry);
    }
    assert.deepEqual(inferBrokerVersion(table), version);
  });
}
