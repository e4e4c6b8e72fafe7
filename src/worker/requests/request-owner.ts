// Owns the interface between the owner of a request and the parts that send it: what the owner is told, and when. Network thread.

import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import type { WireCodec } from '../../protocol/wire/codecs.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';

/** The source of a request. It is told how the request ended. An owner is an attachment or a part of the network thread. */
export interface RequestOwner {
  /** True for requests of the network thread itself. They do not count among an application's requests. */
  readonly isInternal: boolean;
  /**
   * Takes the response. `reader` stands behind the response's header.
   * Returns the throttle time in ms (0 for none), or `notDelivered` when there is no room: then the call is repeated later.
   * Throws KafkaProtocolError when the body cannot be decoded.
   */
  onResponse(request: InFlightRequest, reader: WireReader, now: number): number;
  /** Called once for a request that will get no response. The request may have been sent or not. */
  onFailure(request: RequestName, error: Error, now: number): void;
  /** The socket has a request that gets no response (Produce with acks 0). */
  onSentWithoutResponse(request: InFlightRequest, now: number): void;
  /** So many bytes more of its requests wait for a place on a connection; fewer, if negative. */
  onWaiting?(byteCount: number): void;
}

export const notDelivered = -1;

/** The fields that identify a request among those of its owner. */
export interface RequestName {
  readonly requestId: number;
  readonly nodeId: number;
}

export interface InFlightRequest extends RequestName {
  readonly owner: RequestOwner;
  /** Tells the node from all others of the network thread. */
  readonly nodeKey: number;
  /** The connection that the request was sent on. It is only compared, never called. */
  readonly channel: object;
  readonly codec: WireCodec;
  readonly version: number;
  readonly timeoutMs: number;
  readonly sentAt: number;
  correlationId: number;
  deadline: number;
  /** How far throttling may still move the deadline, in ms. Without this limit a broker could keep a request open for ever. */
  throttleAllowanceMs: number;
  /** Bytes of its frame, with the size prefix; 0 until it is encoded. */
  requestBytes: number;
}

/** Is told what a response says about the cluster, and what a response that the codec pool decoded means for its connection. */
export interface ResponseHost {
  /** Called before the application gets the response. */
  onClusterHints(hints: ClusterHints): void;
  onPooledThrottle(request: InFlightRequest, throttleTimeMs: number, now: number): void;
  onPooledFailure(request: InFlightRequest, error: Error, now: number): void;
}
