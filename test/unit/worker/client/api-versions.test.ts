import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IncompatibleBrokerVersion, UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import {
  inferBrokerVersion,
  isThrottledByClient,
  NodeApiVersions,
} from '../../../../src/worker/client/api-versions.ts';
import { range } from '../support/fake-peer.ts';
import { releasedRanges } from '../support/released-ranges.ts';

const fetch = wireCodec(1);
const listGroups = wireCodec(16);

function versions(min: number, max: number, apiKey = 16): NodeApiVersions {
  return new NodeApiVersions(new Map([[apiKey, range(min, max)]]));
}

test('the highest version both sides know', () => {
  assert.equal(versions(0, 3).choose(listGroups, -1), 3);
  assert.equal(versions(0, 99).choose(listGroups, -1), listGroups.maxVersion);
  assert.equal(versions(2, 2).choose(listGroups, -1), 2);
});

test('a version asked for is used when both sides know it', () => {
  for (const version of [1, 2, 3]) assert.equal(versions(1, 3).choose(listGroups, version), version);
  for (const version of [0, 4, 99]) {
    assert.throws(() => versions(1, 3).choose(listGroups, version), {
      name: 'UnsupportedVersionError',
      apiKey: 16,
      message: new RegExp(`ListGroups \\(API key 16\\) version ${version} was asked for; the broker supports 1 to 3`),
    });
  }
  assert.throws(() => versions(0, 99).choose(listGroups, listGroups.maxVersion + 1), UnsupportedVersionError);
});

test('an API that the broker does not list', () => {
  assert.throws(() => versions(0, 3).choose(fetch, -1), IncompatibleBrokerVersion);
  assert.throws(() => versions(0, 3).choose(fetch, 3), IncompatibleBrokerVersion);
});

for (const [min, max] of [
  [50, 60],
  [3, 1],
  [-5, -1],
]) {
  test(`no version in common with ${min} to ${max}`, () => {
    assert.throws(() => versions(min!, max!).choose(listGroups, -1), {
      name: 'IncompatibleBrokerVersion',
      message: new RegExp(`no common version of ListGroups.* ${min} to ${max}, this client 0 to`),
    });
  });
}

// Kafka's releases, newest first, and the first API version each brought.
const rows: readonly (readonly [version: number[], apiKey: number, apiVersion: number])[] = [
  [[4, 3], 35, 5],
  [[4, 2], 2, 11],
  [[4, 1], 0, 13],
  [[4, 0], 2, 10],
  [[3, 9], 1, 17],
  [[3, 8], 0, 11],
  [[3, 7], 1, 16],
  [[3, 6], 24, 4],
  [[3, 5], 1, 15],
  [[3, 4], 4, 7],
  [[3, 3], 29, 3],
  [[3, 2], 11, 9],
  [[3, 1], 1, 13],
  [[3, 0], 2, 7],
  [[2, 8], 0, 9],
  [[2, 7], 1, 12],
  [[2, 6], 48, 0],
  [[2, 5], 29, 2],
  [[2, 4], 0, 8],
  [[2, 3], 1, 11],
  [[2, 2], 2, 5],
  [[2, 1], 1, 10],
  [[2, 0], 1, 8],
  [[1, 1], 1, 7],
  [[1, 0], 3, 5],
  [[0, 11], 3, 4],
  [[0, 10, 2], 9, 2],
  [[0, 10, 1], 3, 2],
];

test('each row of the inference table, met by its version and by it alone', () => {
  for (const [version, apiKey, apiVersion] of rows) {
    assert.deepEqual(inferBrokerVersion(new Map([[apiKey, range(apiVersion, apiVersion)]])), version);
  }
});

test('the newest row wins, whatever else is listed', () => {
  for (const [i, [version]] of rows.entries()) {
    const ranges = new Map<number, { min: number; max: number }>();
    for (const [, apiKey, apiVersion] of rows.slice(i)) {
      const known = ranges.get(apiKey);
      ranges.set(apiKey, range(0, Math.max(apiVersion, known?.max ?? 0)));
    }
    assert.deepEqual(inferBrokerVersion(ranges), version);
  }
});

test('a version is met within the range only', () => {
  assert.deepEqual(inferBrokerVersion(new Map([[35, range(6, 9)]])), [0, 10, 0]);
  assert.deepEqual(inferBrokerVersion(new Map([[35, range(0, 4)]])), [0, 10, 0]);
  assert.deepEqual(inferBrokerVersion(new Map()), [0, 10, 0]);
});

test('what real brokers list is inferred as what they are', () => {
  const lines = releasedRanges.trim().split('\n');
  assert.ok(lines.length >= 10);
  for (const line of lines) {
    const [release, ...fields] = line.trim().split(/\s+/);
    const ranges = new Map(
      fields.map((field) => {
        const [apiKey, min, max] = field.split(/[:-]/).map(Number);
        return [apiKey!, range(min!, max!)];
      }),
    );
    const inferred = inferBrokerVersion(ranges).join('.');
    assert.ok(`${release}.`.startsWith(`${inferred}.`), `${release} is taken for ${inferred}`);
  }
});

test('throttle times count from the version whose broker answers before it waits', () => {
  for (const [apiKey, from] of [
    [0, 6],
    [1, 8],
    [2, 3],
    [3, 6],
    [8, 4],
    [9, 4],
    [10, 2],
    [11, 3],
    [12, 2],
    [16, 2],
    [18, 2],
    [19, 3],
    [32, 2],
    [42, 1],
  ]) {
    assert.equal(isThrottledByClient(apiKey!, from! - 1), false, `API ${apiKey} version ${from! - 1}`);
    assert.equal(isThrottledByClient(apiKey!, from!), true, `API ${apiKey} version ${from}`);
  }
  assert.equal(isThrottledByClient(60, 0), true, 'APIs that came later always do');
  assert.equal(isThrottledByClient(17, 1), false, 'SaslHandshake has none');
});
