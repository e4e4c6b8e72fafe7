// Owns the API versions that brokers of each release support: for brokers that cannot be asked, and for a configured
// `apiVersion`, which limits what is used of newer brokers. Network thread. Must not decide when a broker is asked:
// handshake.ts does.

import { UnrecognizedBrokerVersion } from '../../common/errors/errors.ts';
import type { VersionRange } from './api-versions.ts';

export type BrokerVersion = readonly number[];
export type ApiRanges = ReadonlyMap<number, VersionRange>;

/**
 * Each version, the API by whose newest version such a broker is told from older ones, and what it added to the version
 * before, `key:min-max`; oldest first. Up to 0.9, whose brokers know no
 * ApiVersions, as documented; later ones as a broker of that version answered, with ZooKeeper below 3.3 and as a KRaft
 * broker from there on. Nothing is ever taken away: what only brokers with ZooKeeper had stays allowed up to the end.
 */
const history: readonly (readonly [version: BrokerVersion, tellingApi: number | null, added: string])[] = [
  [[0, 8, 0], null, '0:0-0 1:0-0 2:0-0 3:0-0'],
  [[0, 8, 1], null, '8:0-0 9:0-0'],
  [[0, 8, 2], null, '8:0-1 9:0-1 10:0-0'],
  [[0, 9], null, '0:0-1 1:0-1 8:0-2 11:0-0 12:0-0 13:0-0 14:0-0 15:0-0 16:0-0'],
  [[0, 10, 0], null, '0:0-2 1:0-2 3:0-1 4:0-0 5:0-0 6:0-2 7:1-1 17:0-0 18:0-0'],
  [[0, 10, 1], 3, '1:0-3 2:0-1 3:0-2 11:0-1 19:0-0 20:0-0'],
  [[0, 10, 2], 9, '6:0-3 9:0-2 19:0-1'],
  [
    [0, 11],
    3,
    '0:0-3 1:0-5 2:0-2 3:0-4 8:0-3 9:0-3 10:0-1 11:0-2 12:0-1 13:0-1 14:0-1 15:0-1 16:0-1 18:0-1 19:0-2 20:0-1 ' +
      '21:0-0 22:0-0 23:0-0 24:0-0 25:0-0 26:0-0 27:0-0 28:0-0 29:0-0 30:0-0 31:0-0 32:0-0 33:0-0',
  ],
  [[1, 0], 3, '0:0-5 1:0-6 3:0-5 4:0-1 6:0-4 7:0-1 17:0-1 34:0-0 35:0-0 36:0-0 37:0-0'],
  [[1, 1], 1, '1:0-7 32:0-1 38:0-0 39:0-0 40:0-0 41:0-0 42:0-0'],
  [
    [2, 0],
    1,
    '0:0-6 1:0-8 2:0-3 3:0-6 8:0-4 9:0-4 10:0-2 11:0-3 12:0-2 13:0-2 14:0-2 15:0-2 16:0-2 18:0-2 19:0-3 20:0-2 ' +
      '21:0-1 22:0-1 23:0-1 24:0-1 25:0-1 26:0-1 28:0-1 29:0-1 30:0-1 31:0-1 32:0-2 33:0-1 34:0-1 35:0-1 37:0-1 ' +
      '38:0-1 39:0-1 40:0-1 41:0-1 42:0-1',
  ],
  [[2, 1], 1, '0:0-7 1:0-10 2:0-4 3:0-7 8:0-6 9:0-5 20:0-3 23:0-2 28:0-2'],
  [[2, 2], 2, '2:0-5 4:0-2 5:0-1 6:0-5 7:0-2 11:0-4 36:0-1 43:0-0'],
  [[2, 3], 1, '1:0-11 3:0-8 8:0-7 11:0-5 12:0-3 14:0-3 15:0-3 23:0-3 44:0-0'],
  [
    [2, 4],
    0,
    '0:0-8 3:0-9 4:0-4 5:0-2 6:0-6 7:0-3 8:0-8 9:0-6 10:0-3 11:0-6 12:0-4 13:0-4 14:0-4 15:0-5 16:0-3 18:0-3 ' +
      '19:0-5 20:0-4 22:0-2 38:0-2 42:0-2 43:0-2 44:0-1 45:0-0 46:0-0 47:0-0',
  ],
  [[2, 5], 29, '9:0-7 11:0-7 14:0-5 22:0-3 28:0-3 29:0-2 30:0-2 31:0-2 36:0-2 37:0-2 39:0-2 40:0-2 41:0-2'],
  [[2, 6], 48, '5:0-3 16:0-4 21:0-2 32:0-3 35:0-2 48:0-0 49:0-0'],
  [[2, 7], 1, '1:0-12 19:0-6 20:0-5 22:0-4 24:0-2 25:0-2 26:0-2 37:0-3 50:0-0 51:0-0 56:0-0 57:0-0'],
  [
    [2, 8],
    0,
    '0:0-9 2:0-6 3:0-11 4:0-5 6:0-7 19:0-7 20:0-6 23:0-4 24:0-3 25:0-3 26:0-3 27:0-1 32:0-4 33:0-2 34:0-2 48:0-1 ' +
      '49:0-1 60:0-0 61:0-0',
  ],
  [[3, 0], 2, '2:0-7 9:0-8 10:0-4 65:0-0 66:0-0 67:0-0'],
  [[3, 1], 1, '1:0-13 3:0-12'],
  [[3, 2], 11, '4:0-6 11:0-9 13:0-5 35:0-3 56:0-1'],
  [[3, 3], 29, '29:0-3 30:0-3 31:0-3 35:0-4 55:0-1 57:0-1 64:0-0'],
  [[3, 4], 4, '4:0-7'],
  [[3, 5], 1, '1:0-15 2:0-8'],
  [[3, 6], 24, '24:0-4 38:0-3 41:0-3'],
  [[3, 7], 1, '0:0-10 1:0-16 8:0-9 9:0-9 60:0-1 68:0-0 74:0-0'],
  [[3, 8], 0, '0:0-11 10:0-5 16:0-5 22:0-5 24:0-5 25:0-4 26:0-4 28:0-4 66:0-1 69:0-0 75:0-0'],
  [[3, 9], 1, '1:0-17 2:0-9 10:0-6 18:0-4 55:0-2 80:0-0 81:0-0'],
  [
    [4, 0],
    2,
    '0:0-12 1:4-17 2:1-10 3:0-13 8:2-9 9:1-9 11:2-9 15:0-6 19:2-7 20:1-6 23:2-4 26:0-5 27:1-1 28:0-5 29:1-3 ' +
      '30:1-3 31:1-3 32:1-4 34:1-2 35:1-4 38:1-3 39:1-2 40:1-2 41:1-3 57:0-2 60:0-2 68:0-1 69:0-1',
  ],
  [
    [4, 1],
    0,
    '0:0-13 1:4-18 11:0-9 45:0-1 66:0-2 74:0-1 76:1-1 77:1-1 78:1-1 79:1-1 83:0-0 84:0-0 85:0-0 86:0-0 87:0-0 ' +
      '90:0-0 91:0-0 92:0-0',
  ],
  [[4, 2], 2, '2:1-11 8:2-10 9:1-10 27:1-2 78:1-2 79:1-2 80:0-1 85:0-1 87:0-1 88:0-0 89:0-0 90:0-1'],
  [[4, 3], 35, '35:1-5'],
  [[4, 4], 18, '18:0-5 28:0-6 42:0-3 88:0-1 89:0-1 93:0-0 94:0-0'],
];

/** Oldest first. */
export const knownBrokerVersions: readonly BrokerVersion[] = history.map(([version]) => version);

/** The ranges that such brokers were the first to have. */
export function rangesAddedIn(version: BrokerVersion): ApiRanges {
  return rangesIn(history.find(([known]) => isSame(known, version))?.[2] ?? '');
}

/** Newest first: a broker that supports the version of the API is that new, unless it is newer. */
export function* tellingVersions(): IterableIterator<{ version: BrokerVersion; apiKey: number; apiVersion: number }> {
  for (const [version, apiKey, added] of history.toReversed())
    if (apiKey !== null) yield { version, apiKey, apiVersion: rangesIn(added).get(apiKey)!.max };
}

function rangesIn(added: string): ApiRanges {
  const entries = added === '' ? [] : added.split(' ');
  return new Map(
    entries.map((entry) => {
      const [apiKey, min, max] = entry.split(/[:-]/).map(Number) as [number, number, number];
      return [apiKey, { min, max }];
    }),
  );
}

const firstWithApiVersions = [0, 10, 0];

/** Whether brokers of this version answer ApiVersions. */
export function hasApiVersions(version: BrokerVersion): boolean {
  return compare(version, firstWithApiVersions) >= 0;
}

/**
 * The known version that a configured one stands for: the same version; else that version with a 0 appended; else the
 * newest known version that is not newer. Undefined for a version that is older than all.
 */
export function findVersion(given: BrokerVersion): BrokerVersion | undefined {
  const exact = history.find(([version]) => isSame(version, given) || isSame(version, [...given, 0]));
  return (exact ?? history.findLast(([version]) => compare(version, given) <= 0))?.[0];
}

/** The same. Throws UnrecognizedBrokerVersion if there is none, and for a release that is newer than all known ones. */
export function matchVersion(given: BrokerVersion): BrokerVersion {
  const found = findVersion(given);
  const oldest = knownBrokerVersions[0]!;
  const newest = knownBrokerVersions.at(-1)!;
  if (found === undefined) {
    throw new UnrecognizedBrokerVersion(
      `apiVersion [${given.join(', ')}] is older than every known broker; the oldest is [${oldest.join(', ')}]`,
    );
  }
  // A patch release supports the same versions as its minor release.
  if (compare(given.slice(0, newest.length), newest) > 0) {
    throw new UnrecognizedBrokerVersion(
      `apiVersion [${given.join(', ')}] is newer than every broker this client knows; the newest is [${newest.join(', ')}]: leave apiVersion out, so that brokers are asked, or set it to [${newest.join(', ')}]`,
    );
  }
  return found;
}

/** The API versions that brokers of a known version support. */
export function rangesOfVersion(known: BrokerVersion): ApiRanges {
  const ranges = new Map<number, VersionRange>();
  for (const [version, , added] of history) {
    for (const [apiKey, range] of rangesIn(added)) ranges.set(apiKey, range);
    if (isSame(version, known)) break;
  }
  return ranges;
}

function isSame(a: BrokerVersion, b: BrokerVersion): boolean {
  return a.length === b.length && compare(a, b) === 0;
}

/** Missing parts count as 0. */
function compare(a: BrokerVersion, b: BrokerVersion): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
