// Owns the contract between whoever sends a request and whoever carries it: what the owner is told, and when. Network thread.

import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import type { WireCodec } from '../../protocol/wire/codecs.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';

/** Whoever a request came from, and who hears how it ended: an attachment, or a part of the network thread itself. */
export interface RequestOwner {
  /** True for requests of the network thread itself, which no application counts as its own. */
  readonly isInternal: boolean;
  /**
   * Takes the response, `reader` standing behind its header.
   * Returns the throttle time in ms (0 for none), or `notDelivered` when there is no room: the same call comes again.
   * Throws KafkaProtocolError when the body cannot be decoded.
   */
  onResponse(request: InFlightRequest, reader: WireReader, now: number): number;
  /** Called once for a request that will have no response; it may never have been written. */
  onFailure(request: RequestName, error: Error, now: number): void;
  /** A request that has no response (Produce with acks 0) was handed to the socket. */
  onSentWithoutResponse(request: InFlightRequest, now: number): void;
}

export const notDelivered = -1;

/** What tells a request from others of its owner. */
export interface RequestName {
  readonly requestId: number;
  readonly nodeId: number;
}

export interface InFlightRequest extends RequestName {
  readonly owner: RequestOwner;
  /** The connection it was sent on: compared, never called. */
  readonly channel: object;
  readonly codec: WireCodec;
  readonly version: number;
  readonly timeoutMs: number;
  readonly sentAt: number;
  correlationId: number;
  deadline: number;
  /** By how much throttling may still move the deadline: a broker must not keep a request open for ever. */
  throttleAllowanceMs: number;
}

/** Who is told what a response means besides: what it tells of the cluster, and, decoded by the codec pool, for its connection. */
export interface ResponseHost {
  /** Before the application sees the response. */
  onClusterHints(hints: ClusterHints): void;
  onPooledThrottle(request: InFlightRequest, throttleTimeMs: number, now: number): void;
  onPooledFailure(request: InFlightRequest, error: Error, now: number): void;
}
