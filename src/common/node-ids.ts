// Owns the numbers of nodes that are not brokers, and the names of lanes. Every thread.
//
//   0 and up              brokers, as Kafka numbers them: the connection that is for everything
//   -1, -2, ...           bootstrap servers, in the order of `bootstrapServers`
//   2147483647 - id       broker `id` in the lane `coordinator`, where long waits hold up nothing else
//   -1073741824 and down  brokers in other lanes, numbered by the network thread when they are first asked for

const maxInt32 = 2147483647;

/** The connection that is for everything. */
export const mainLane = '';
/** Its nodes have fixed ids. */
export const coordinatorLane = 'coordinator';
/** Where the numbers of nodes in other lanes begin, downwards. */
export const firstLaneNodeId = -(2 ** 30);
/** Lanes beside the main one that one network thread takes; that of coordinators counts when it is used. */
export const maxLanes = 31;
export const maxLaneNameLength = 32;
export const laneNameRule = `1 to ${maxLaneNameLength} characters of a-z A-Z 0-9 . _ -`;

const laneName = new RegExp(`^[a-zA-Z0-9._-]{1,${maxLaneNameLength}}$`);

export function isLaneName(name: string): boolean {
  return laneName.test(name);
}

/** Node id of the connection to broker `brokerId` as a coordinator; applied twice, the broker's id again. */
export function coordinatorNodeId(brokerId: number): number {
  return maxInt32 - brokerId;
}
