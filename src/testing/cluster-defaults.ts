// Owns what an embedded cluster is like where its options say nothing. Runs in the broker's thread.

import { ClientMetrics } from './client-metrics.ts';
import type { ClusterDefaults } from './cluster-state.ts';
import { groupLimits } from './groups/group-coordinator.ts';
import type { EmbeddedBrokerOptions } from './options.ts';

export function clusterDefaults(options: EmbeddedBrokerOptions): ClusterDefaults {
  return {
    clusterId: options.clusterId === undefined ? 'embedded-cluster-000000' : options.clusterId,
    autoCreateTopics: options.autoCreateTopics ?? true,
    partitions: options.defaultPartitions ?? 1,
    replicationFactor: options.defaultReplicationFactor ?? 1,
    messageMaxBytes: options.messageMaxBytes ?? 1_048_588,
    isRackAware: options.isRackAware ?? false,
    transactionVersion: options.transactionVersion ?? 2,
    transactions: {
      markerDelayMs: options.transactionMarkerDelayMs ?? 1,
      maxTimeoutMs: options.transactionMaxTimeoutMs ?? 900_000,
    },
    groups: groupLimits(options.groups),
    clientMetrics: options.clientMetrics === undefined ? null : new ClientMetrics(options.clientMetrics),
  };
}
