// Owns the way in which roles (producers, consumers) send requests: to a broker's connection in a lane, with one answer for
// each request. Network thread. A role knows nothing else of connections, and fakes this interface in its tests.

import type { Api } from '../../protocol/flat/api.ts';
import type { VersionRange } from './api-versions.ts';

export { mainLane } from '../../common/node-ids.ts';

/** Any broker that is ready, for requests that every broker answers. */
export const anyBroker = -1;
/** A broker's connection. */
export interface Destination {
  /** Broker id as metadata names it, or `anyBroker`; then the lane does not matter. */
  readonly brokerId: number;
  /** Name of the connection, such as `fetch`; `mainLane` for the one that is for everything. */
  readonly lane: string;
}

export interface BrokerRequest<Request = unknown, Response = unknown> {
  readonly to: Destination;
  readonly api: Api<Request, Response>;
  /** Encoded inside `send`; it may be changed afterwards. */
  readonly request: Request;
  /**
   * Instead of encoding `request`: the body in wire format for the version that was chosen, in pieces that go to the socket one
   * after the other, without a copy. They must stay as they are until `onBodyFree`. `request` is then read for one thing only:
   * a Produce with `acks` 0 gets no response.
   */
  readonly encodeBody?: (version: number) => readonly Uint8Array[];
  /** Once, when the pieces of `encodeBody` may be written to again; before or after the answer, or inside `send` when it failed. */
  onBodyFree?(): void;
  /** The highest version to use; default: the highest that broker and client both know. */
  readonly maxVersion?: number;
  /** The lowest version that will do; default: the lowest that both know. Without one: UnsupportedVersionError. */
  readonly minVersion?: number;
  /** ms, counted from `send`. */
  readonly timeoutMs: number;
  /** `raw`: records are kept as the bytes that came, neither checked nor decompressed. Default `rows`. */
  readonly records?: 'rows' | 'raw';
  /**
   * Exactly one of both functions is called, once. Inside `send` it is called for what cannot be sent, and for a Produce with
   * acks 0, which has no response.
   * @param response the API's view, which owns its memory; null for a Produce with acks 0 that was handed to the socket
   */
  onResponse(response: Response | null, version: number, now: number): void;
  onFailure(error: Error, now: number): void;
}

export interface BrokerRequests {
  /**
   * Whether `send` would be taken now: connected, below the in-flight limit, not throttled. If there is no connection, one is
   * asked for as soon as its backoff allows; the round in which it becomes ready, or fails, ends with the role's `poll`.
   */
  isReady(to: Destination, now: number): boolean;
  /**
   * When it is worth to ask `isReady` again although nothing happens: `now` when it is ready; the end of a backoff or of a
   * throttle time; Infinity when an event will tell. For `nextDeadline` of a role.
   */
  readyAt(to: Destination, now: number): number;
  /** Why the last connection or attempt ended; null when none did, or when it has been connected since. */
  lastError(to: Destination): Error | null;
  /** Sends one request. Every failure goes to `onFailure`, none is thrown. */
  send<Request, Response>(request: BrokerRequest<Request, Response>, now: number): void;
  /** What both sides speak of an API, on any connection to the broker; null while none has told, or when they have nothing in common. */
  versionRange(brokerId: number, api: Pick<Api, 'key'>): VersionRange | null;
  /** The cluster's finalized level of a feature, such as `transaction.version`; null while no broker has told of it. */
  finalizedFeature(name: string): number | null;
  /** Requests that await their response on this connection, of all who use it. */
  inFlight(to: Destination): number;
  /** Until when the broker wants no requests on this connection, ms on the monotonic clock; 0 when it is not throttled. */
  throttledUntil(to: Destination): number;
  /** Closes the connection: its requests fail with `reason`, nothing backs off. */
  disconnect(to: Destination, reason: Error, now: number): void;
}
