// Owns the peer that a connection is meant for: the cluster and the broker that ApiVersions 5 names. A broker that
// was reached by mistake, through a proxy, a load balancer or an old address, refuses the connection because of that.
// Network thread. Must not send anything: handshake.ts does. Source: KIP-1242.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { type KafkaClientError, RebootstrapRequiredError } from '../../common/errors/errors.ts';
import type { Node } from './node.ts';

export interface ExpectedPeer {
  readonly clusterId: string;
  /** The broker id from metadata, for every lane of that broker. */
  readonly nodeId: number;
}

/** First version of ApiVersions that names the peer. A broker wants both ids, or neither. */
export const expectedPeerVersion = 5;

/**
 * The peer that a connection of the node has to reach. Null if any peer is right: bootstrap servers have no broker
 * id, and before the first metadata the cluster id is unknown.
 */
export function expectedPeer(node: Node, clusterId: string | null, config: KafkaClientConfig): ExpectedPeer | null {
  if (!config.metadataClusterCheckEnable || clusterId === null || node.isBootstrap) return null;
  return { clusterId, nodeId: node.brokerId };
}

/** The error for a peer that says that it is not the broker that was meant. */
export function misroutedError({ clusterId, nodeId }: ExpectedPeer, { id, host, port }: Node): KafkaClientError {
  const text =
    `${host}:${port} is not node ${nodeId} of cluster '${clusterId}': the broker that answered there is another one ` +
    '(error code 129). A proxy, a load balancer or a name may lead elsewhere; the bootstrap servers are asked again';
  return new RebootstrapRequiredError(text, { nodeId: id });
}
