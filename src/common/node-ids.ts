// Owns the numbers of nodes that are not brokers, and the names of lanes. Every thread.
//
//   0 and up              brokers, by their ids in Kafka: the connection of the main lane
//   -1, -2, ...           bootstrap servers, in the order of `bootstrapServers`
//   2147483647 - id       broker `id` in the lane `coordinator`, so that its long waits delay nothing else
//   -1073741824 and down  brokers in other lanes; the network thread numbers them when they are first used
//
// An attachment with connections of its own uses the same numbers for them. Its connections have a *scope*, a number of the
// attachment. Scope and node id together are the key of a node in the network thread.

import { maxInt32 } from './numbers.ts';

/** The name of the main lane, which is used for everything that names no lane. */
export const mainLane = '';
/** The name of the lane for coordinators. Its nodes have fixed ids. */
export const coordinatorLane = 'coordinator';
/** The first id of nodes in other lanes. The next ids are lower. */
export const firstLaneNodeId = -(2 ** 30);
/** How many lanes a network thread has beside the main lane. The lane of coordinators counts if it is used. */
export const maxLanes = 31;
export const maxLaneNameLength = 32;
export const laneNameRule = `1 to ${maxLaneNameLength} characters of a-z A-Z 0-9 . _ -`;

/** The scope of connections that all threads use. */
export const sharedScope = 0;
/** How many attachments may have connections of their own at a time. */
export const maxScopes = 1023;

/** More than there are int32 numbers. A key stays below 2^43, so it is exact. */
const keysPerScope = 2 ** 33;

const laneName = new RegExp(`^[a-zA-Z0-9._-]{1,${maxLaneNameLength}}$`);

export function isLaneName(name: string): boolean {
  return laneName.test(name);
}

/** Whether the node is a bootstrap server. These are in the shared scope only. */
export function isBootstrapId(nodeId: number): boolean {
  return nodeId < 0 && nodeId > firstLaneNodeId;
}

/** Tells a node from all others of a network thread. In the shared scope it is the node id. */
export function nodeKey(nodeId: number, scope: number): number {
  return scope * keysPerScope + nodeId;
}

/** The node id and the scope in a key. */
export function partsOfKey(key: number): { readonly nodeId: number; readonly scope: number } {
  // Not -0.
  const scope = Math.max(0, Math.round(key / keysPerScope));
  return { nodeId: key - scope * keysPerScope, scope };
}

/** The node id of the connection to broker `brokerId` as a coordinator. Given such a node id, it returns the broker's id. */
export function coordinatorNodeId(brokerId: number): number {
  return maxInt32 - brokerId;
}
