// Owns the comparison of what a client says of a node with the reference's table. Runs in the test's thread.

import type { KafkaClient } from '../../../src/index.ts';

/** Everything the client says of a node, in the order of the table. */
export function saidOf(client: KafkaClient, nodeId: number) {
  return {
    connected: client.connected(nodeId),
    isDisconnected: client.isDisconnected(nodeId),
    isReady: client.isReady(nodeId),
    delay: client.connectionDelay(nodeId),
    inFlight: client.inFlightRequestCount(nodeId),
  };
}

/** Of a node that nobody has heard of, or connected to. */
export const saidOfUnknown = { connected: false, isDisconnected: false, isReady: false, delay: 0, inFlight: 0 };

/** Of one that is connected, with nothing in flight. */
export const saidOfReady = {
  connected: true,
  isDisconnected: false,
  isReady: true,
  delay: Number.POSITIVE_INFINITY,
  inFlight: 0,
};
