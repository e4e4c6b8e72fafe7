// Owns the numbers of nodes that are not brokers, and the names of lanes. Every thread.
//
//   0 and up              brokers, by their ids in Kafka: the connection of the main lane
//   -1, -2, ...           bootstrap servers, in the order of `bootstrapServers`
//   2147483647 - id       broker `id` in the lane `coordinator`, so that its long waits delay nothing else
//   -1073741824 and down  brokers in other lanes; the network thread numbers them when they are first used

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

const laneName = new RegExp(`^[a-zA-Z0-9._-]{1,${maxLaneNameLength}}$`);

export function isLaneName(name: string): boolean {
  return laneName.test(name);
}

/** The node id of the connection to broker `brokerId` as a coordinator. Given such a node id, it returns the broker's id. */
export function coordinatorNodeId(brokerId: number): number {
  return maxInt32 - brokerId;
}
