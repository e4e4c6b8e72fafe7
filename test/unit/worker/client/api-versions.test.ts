import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IncompatibleBrokerVersion, UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import {
  inferBrokerVersion,
  isThrottledByClient,
  NodeApiVersions,
  type VersionRange,
} from '../../../../src/worker/client/api-versions.ts';
import { range } from '../support/fake-peer.ts';
import { releasedRanges } from '../support/released-ranges.ts';

const fetch = wireCodec(1);
const listGroups = wireCodec(16);

function versions(min: number, max: number, apiKey = 16): NodeApiVersions {
  return new NodeApiVersions(new Map([[apiKey, range(min, max)]]));
}

/** Of entries `key:min-max`. */
function rangesOf(entries: readonly string[]): Map<number, VersionRange> {
  return new Map(
    entries.map((entry) => {
      const [apiKey, min, max] = entry.split(/[:-]/).map(Number);
      return [apiKey!, range(min!, max!)];
    }),
  );
}

test('the highest version that both sides know is used', () => {
  assert.equal(versions(0, 3).choose(listGroups, -1), 3);
  assert.equal(versions(0, 99).choose(listGroups, -1), listGroups.maxVersion);
  assert.equal(versions(2, 2).choose(listGroups, -1), 2);
});

test('a requested version is used when both sides know it', () => {
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

test('an API that the broker does not list is refused', () => {
  assert.throws(() => versions(0, 3).choose(fetch, -1), IncompatibleBrokerVersion);
  assert.throws(() => versions(0, 3).choose(fetch, 3), IncompatibleBrokerVersion);
});

for (const [min, max] of [
  [50, 60],
  [3, 1],
  [-5, -1],
]) {
  test(`no common version with ${min} to ${max} is an error`, () => {
    assert.throws(() => versions(min!, max!).choose(listGroups, -1), {
      name: 'IncompatibleBrokerVersion',
      message: new RegExp(`no common version of ListGroups.* ${min} to ${max}, this client 0 to`),
    });
  });
}

test('the newest release that the ranges allow is inferred, whatever else is listed', () => {
  const ofRelease = (release: string): Map<number, VersionRange> => {
    const fields = releasedRanges.split('\n').find((line) => line.startsWith(`${release} `))!;
    return rangesOf(fields.split(' ').slice(1));
  };
  const old = ofRelease('2.8.2');
  assert.deepEqual(inferBrokerVersion(new Map([...old, [18, range(0, 5)]])), [4, 4]);
  assert.deepEqual(inferBrokerVersion(new Map([...old, [0, range(0, 13)]])), [4, 1]);
  const future = new Map([...ofRelease('4.4.0')].map(([apiKey, { min, max }]) => [apiKey, range(min, max + 1)]));
  assert.deepEqual(inferBrokerVersion(future), [4, 4]);
});

test('a version is accepted only within the range', () => {
  assert.deepEqual(inferBrokerVersion(new Map([[35, range(6, 9)]])), [0, 10, 0]);
  assert.deepEqual(inferBrokerVersion(new Map([[35, range(0, 4)]])), [0, 10, 0]);
  assert.deepEqual(inferBrokerVersion(new Map()), [0, 10, 0]);
});

test('the version of real brokers is inferred from their ranges', () => {
  const lines = releasedRanges.trim().split('\n');
  assert.ok(lines.length >= 10);
  for (const line of lines) {
    const [release, ...fields] = line.trim().split(/\s+/);
    const inferred = inferBrokerVersion(rangesOf(fields)).join('.');
    assert.ok(`${release}.`.startsWith(`${inferred}.`), `${release} is taken for ${inferred}`);
  }
});

test('throttle times count from the first version in which the broker answers before it waits', () => {
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
