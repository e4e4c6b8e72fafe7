// Owns whether a node takes a request now, and the error that says why not. Network thread. Must not change anything.

import { NodeNotReadyError, TooManyInFlightRequests, UnknownBrokerIdError } from '../../common/errors/errors.ts';
import type { Node } from './node.ts';

/** Whether a request to the node is accepted. It is asked often, so no error is made. */
export function takesRequests(node: Node, maxInFlight: number, now: number): boolean {
  return node.isReady && node.inFlight.size < maxInFlight && !node.connection.isThrottled(now);
}

/** The error of whatever needs a node that the cluster does not have. */
export function unknownNode(nodeId: number): UnknownBrokerIdError {
  return new UnknownBrokerIdError(`node ${nodeId} is not part of the cluster`, { nodeId });
}

/**
 * The error that a request to the node is refused with; null if it is accepted. @param count requests that count
 * against the limit
 */
export function whyNotSend(
  node: Node | undefined,
  nodeId: number,
  maxInFlight: number,
  now: number,
  count = node?.inFlight.size ?? 0,
): Error | null {
  if (node === undefined) return unknownNode(nodeId);
  const details = { nodeId };
  if (!node.isReady) {
    const cause = node.connection.lastError;
    const text = `${node.name} is not connected`;
    return new NodeNotReadyError(text, cause === null ? details : { ...details, cause });
  }
  if (count >= maxInFlight) {
    const text = `${node.name} has ${count} requests in flight, of all threads together; the limit is ${maxInFlight} (maxInFlightRequestsPerConnection)`;
    return new TooManyInFlightRequests(text, details);
  }
  if (!node.connection.isThrottled(now)) return null;
  const leftMs = Math.ceil(node.connection.throttledUntil - now);
  return new NodeNotReadyError(`${node.name} is throttled for another ${leftMs} ms (quota)`, details);
}
