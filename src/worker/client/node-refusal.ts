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

/** The error that a request to the node is refused with; null if it is accepted. */
export function whyNotSend(node: Node | undefined, nodeId: number, maxInFlight: number, now: number): Error | null {
  if (node === undefined) return unknownNode(nodeId);
  const details = { nodeId };
  if (!node.isReady) {
    const cause = node.connection.lastError;
    const text = `${node.name} is not connected`;
    return new NodeNotReadyError(text, cause === null ? details : { ...details, cause });
  }
  const count = node.inFlight.size;
  if (count >= maxInFlight) return tooManyInFlight(node, nodeId, count, maxInFlight);
  if (!node.connection.isThrottled(now)) return null;
  const leftMs = Math.ceil(node.connection.throttledUntil - now);
  return new NodeNotReadyError(`${node.name} is throttled for another ${leftMs} ms (quota)`, details);
}

export function tooManyInFlight(
  { name }: Node,
  nodeId: number,
  count: number,
  maxInFlight: number,
): TooManyInFlightRequests {
  const text = `${name} has ${count} requests in flight, the limit is ${maxInFlight} (maxInFlightRequestsPerConnection)`;
  return new TooManyInFlightRequests(text, { nodeId });
}
