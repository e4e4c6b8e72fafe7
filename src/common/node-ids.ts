// Owns the numbers of nodes that are not brokers. Every thread.
//
//   0 and up            brokers, as Kafka numbers them
//   -1, -2, ...         bootstrap servers, in the order of `bootstrapServers`
//   2147483647 - id     a coordinator: a connection of its own to broker `id`, where long waits hold up nothing else

const maxInt32 = 2147483647;

/** Node id of the connection to broker `brokerId` as a coordinator; applied twice, the broker's id again. */
export function coordinatorNodeId(brokerId: number): number {
  return maxInt32 - brokerId;
}
