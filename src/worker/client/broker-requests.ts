// Owns the interface through which roles (producers, consumers) send requests to a broker's connection in a lane;
// each request gets one answer. Network thread. A role knows nothing else about connections, and its tests use a fake
// of this interface.

import { mainLane } from '../../common/node-ids.ts';
import type { Api } from '../../protocol/flat/api.ts';
import type { VersionRange } from './api-versions.ts';
import type { Refusal } from './refused-everywhere.ts';

export { mainLane };

/** Any broker that is ready, for requests that every broker answers. */
export const anyBroker = -1;
/** A broker's connection. */
export interface Destination {
  /** Broker id as metadata names it, or `anyBroker`; then the lane does not matter. */
  readonly brokerId: number;
  /** Name of the connection, such as `fetch`; `mainLane` for the connection that everybody uses. */
  readonly lane: string;
}

/** Whoever is ready first, on the connection that everybody uses. */
export const anyone: Destination = { brokerId: anyBroker, lane: mainLane };

export interface BrokerRequest<Request = unknown, Response = unknown> {
  readonly to: Destination;
  readonly api: Api<Request, Response>;
  /** It is encoded inside `send`, so it may be changed afterwards. */
  readonly request: Request;
  /**
   * Instead of encoding `request`: the body in wire format for the version that was chosen, in pieces that go to the socket one
   * after the other, without a copy. They must stay as they are until `onBodyFree`. `request` is then read for one thing only:
   * a Produce with `acks` 0 gets no response.
   */
  readonly encodeBody?: (version: number) => readonly Uint8Array[];
  /**
   * Called once, when the pieces of `encodeBody` may be written to again: before or after the answer, or inside
   * `send` if that failed.
   */
  onBodyFree?(): void;
  /** The highest version to use; default: the highest that broker and client both know. */
  readonly maxVersion?: number;
  /**
   * The lowest version that may be used; default: the lowest that both know. Without such a version:
   * UnsupportedVersionError.
   */
  readonly minVersion?: number;
  /** ms, counted from `send`. */
  readonly timeoutMs: number;
  /**
   * `raw`: records are kept as the bytes that came, neither checked nor decompressed. `lent`: the same without a copy, if that is
   * possible; they can be read until `release` is called. Default `rows`.
   */
  readonly records?: 'rows' | 'raw' | 'lent';
  /**
   * Exactly one of the two functions is called, once. It is called inside `send` when the request cannot be sent, and
   * for a Produce with acks 0, which has no response.
   * @param response the API's view, which owns its memory; null for a Produce with acks 0 that was handed to the socket
   * @param release  only with `records` 'lent': to be called once, when the records have been read
   */
  onResponse(response: Response | null, version: number, now: number, release: () => void): void;
  onFailure(error: Error, now: number): void;
}

export interface BrokerRequests {
  /**
   * Whether `send` would be accepted now: the broker is connected, below the in-flight limit, and not throttled. If
   * there is no connection, one is begun as soon as the backoff allows. The role's `poll` is called in the round in
   * which that connection becomes ready or fails.
   */
  isReady(to: Destination, now: number): boolean;
  /**
   * When to ask `isReady` again if nothing else happens: `now` when the broker is ready; the end of a backoff or of a
   * throttle time; Infinity when an event will cause a round. For `nextDeadline` of a role.
   */
  readyAt(to: Destination, now: number): number;
  /**
   * Why the last connection or attempt ended; null if none ended, or if the broker has been connected since. For any broker: why none
   * is ready. For a broker that is not in the cluster: that it is not.
   */
  lastError(to: Destination): Error | null;
  /** Not null when no broker is connected and everybody was tried in vain, because logins or certificates were refused. */
  refusedEverywhere(): Refusal | null;
  /** Sends one request. Every failure goes to `onFailure`; `send` throws none. It is written to the socket when `poll` has returned. */
  send<Request, Response>(request: BrokerRequest<Request, Response>, now: number): void;
  /** Writes what was sent to this broker to the socket now, so that the broker works while the role does. */
  flush(to: Destination, now: number): void;
  /**
   * The versions of an API that both sides know, from any connection to the broker; null before any connection has
   * told them, or if there are none in common. For any broker: of one that is ready.
   */
  versionRange(brokerId: number, api: Pick<Api, 'key'>): VersionRange | null;
  /** The cluster's finalized level of a feature, such as `transaction.version`; null before a broker has named it. */
  finalizedFeature(name: string): number | null;
  /** Requests that await their response on this connection, of all its users. */
  inFlight(to: Destination): number;
  /** Until when the broker wants no requests on this connection, ms on the monotonic clock; 0 when it is not throttled. */
  throttledUntil(to: Destination): number;
  /** Closes the connection: its requests fail with `reason`, nothing backs off. */
  disconnect(to: Destination, reason: Error, now: number): void;
}
