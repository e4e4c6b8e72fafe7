// Owns the API versions that one node supports, and the choice of a version that both sides know. Network thread.
// Source: KIP-35 (ApiVersions), KIP-511 (client name and version, downgrade), Kafka protocol guide.

import { IncompatibleBrokerVersion, UnsupportedVersionError } from '../../common/errors/errors.ts';
import type { WireCodec } from '../../protocol/wire/codecs.ts';
import { rangesAddedIn, tellingVersions } from './broker-versions.ts';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** A configured `apiVersion`: the client uses nothing newer than brokers of that version supported. */
export interface VersionLimit {
  readonly version: readonly number[];
  readonly ranges: ReadonlyMap<number, VersionRange>;
}

export class NodeApiVersions {
  readonly ranges: ReadonlyMap<number, VersionRange>;
  readonly brokerVersion: readonly number[];
  readonly #limit: VersionLimit | null;

  /** @param brokerVersion default: derived from the ranges */
  constructor(
    ranges: ReadonlyMap<number, VersionRange>,
    brokerVersion: readonly number[] = inferBrokerVersion(ranges),
    limit: VersionLimit | null = null,
  ) {
    this.ranges = ranges;
    this.brokerVersion = brokerVersion;
    this.#limit = limit;
  }

  /** The same broker, limited to what brokers of the configured version support. */
  limitedTo(limit: VersionLimit | null): NodeApiVersions {
    return limit === null ? this : new NodeApiVersions(this.ranges, this.brokerVersion, limit);
  }

  /**
   * The version to use for a request.
   * @param asked the version the caller wants, or -1 for the highest both sides know
   * Throws UnsupportedVersionError or IncompatibleBrokerVersion naming both ranges.
   */
  choose(codec: WireCodec, asked: number): number {
    const range = this.#usable(codec);
    const name = nameOf(codec);
    if (asked >= 0) {
      if (asked >= range.min && asked <= range.max && asked >= codec.minVersion && asked <= codec.maxVersion)
        return asked;
      throw new UnsupportedVersionError(
        `${name} version ${asked} was asked for; the broker supports ${range.min} to ${range.max}, this client ${codec.minVersion} to ${codec.maxVersion}`,
        { apiKey: codec.apiKey },
      );
    }
    const version = Math.min(range.max, codec.maxVersion);
    if (version >= range.min && version >= codec.minVersion) return version;
    throw new IncompatibleBrokerVersion(
      `no common version of ${name}: the broker supports ${range.min} to ${range.max}, this client ${codec.minVersion} to ${codec.maxVersion}`,
      { apiKey: codec.apiKey },
    );
  }

  /** The versions that broker and client both know and `apiVersion` allows; null if there are none. */
  common(codec: WireCodec): VersionRange | null {
    const range = this.#allowed(codec);
    if (typeof range === 'string') return null;
    const min = Math.max(range.min, codec.minVersion);
    const max = Math.min(range.max, codec.maxVersion);
    return min <= max ? { min, max } : null;
  }

  #usable(codec: WireCodec): VersionRange {
    const range = this.#allowed(codec);
    if (typeof range === 'string') throw new IncompatibleBrokerVersion(range, { apiKey: codec.apiKey });
    return range;
  }

  /** The range, or the reason why there is none. */
  #allowed(codec: WireCodec): VersionRange | string {
    const { apiKey } = codec;
    const range = this.ranges.get(apiKey);
    if (range === undefined) return `the broker does not support ${nameOf(codec)}`;
    if (this.#limit === null) return range;
    const allowed = this.#limit.ranges.get(apiKey);
    if (allowed !== undefined && allowed.max >= range.min) {
      return { min: range.min, max: Math.min(range.max, allowed.max) };
    }
    const spoke = allowed === undefined ? 'do not know it' : `know it up to version ${allowed.max}`;
    return `${nameOf(codec)}: the broker supports ${range.min} to ${range.max}, but apiVersion is [${this.#limit.version.join(', ')}], and such brokers ${spoke}; leave apiVersion out, or raise it`;
  }
}

function nameOf(codec: WireCodec): string {
  return `${codec.name} (API key ${codec.apiKey})`;
}

/** The broker's version derived from its API ranges, e.g. `[2, 8]`. */
export function inferBrokerVersion(ranges: ReadonlyMap<number, VersionRange>): readonly number[] {
  for (const { version, apiKey, apiVersion } of tellingVersions()) {
    const range = ranges.get(apiKey);
    if (range !== undefined && range.min <= apiVersion && apiVersion <= range.max) return version;
  }
  return [0, 10, 0];
}

const offsetForLeaderEpochKey = 23;
/**
 * First version of each API from which on a throttling broker answers at once: the client has to wait instead
 * (KIP-219). Kafka 2.0 gave almost every API a version for that.
 */
const throttledByClientFrom: ReadonlyMap<number, number> = new Map([
  ...[...rangesAddedIn([2, 0])].map(([apiKey, { max }]) => [apiKey, max] as const),
  [offsetForLeaderEpochKey, 2],
]);

/** Whether a throttle time in a response of this version asks the client to wait. */
export function isThrottledByClient(apiKey: number, version: number): boolean {
  const from = throttledByClientFrom.get(apiKey);
  // APIs newer than KIP-219 do so from version 0 on; APIs without a throttle time report 0 anyway.
  return from === undefined ? apiKey > 42 : version >= from;
}
