// Owns the names of the channels of node:diagnostics_channel that this package publishes to. Every thread.

/** Of the channels `tracing:offthread-kafka.produce:start`, `end`, `asyncStart`, `asyncEnd` and `error` of node:diagnostics_channel. */
export const produceChannelName = 'offthread-kafka.produce';
/** Of the channels `tracing:offthread-kafka.consume:start`, `end`, `asyncStart`, `asyncEnd` and `error` of node:diagnostics_channel. */
export const consumeChannelName = 'offthread-kafka.consume';
/** Channel of node:diagnostics_channel with a RequestEvent for each request that the network thread has ended. */
export const requestChannelName = 'offthread-kafka.request';
/** Channel of node:diagnostics_channel with a ClientEvent for each change of state and each fault. */
export const eventChannelName = 'offthread-kafka.event';
