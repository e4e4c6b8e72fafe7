// Owns the cluster that tests of Cluster know, and its metadata as a broker tells it. Test thread.

import type { Cluster } from '../../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../../src/main/client/cluster-writer.ts';
import { Metadata } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse, MetadataResponseView } from '../../../../../src/protocol/flat/generated/metadata.ts';
import { responseView } from '../../../protocol/support/response-view.ts';

export const view = (response: MetadataResponse): MetadataResponseView => responseView(Metadata, response);

export const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';

export const response: MetadataResponse = {
  clusterId: 'the-cluster',
  controllerId: 2,
  brokers: [
    { nodeId: 1, host: 'one', port: 9092, rack: 'r1' },
    { nodeId: 2, host: 'two', port: 9093 },
  ],
  topics: [
    {
      name: 'orders',
      topicId,
      partitions: [
        { partitionIndex: 0, leaderId: 1, leaderEpoch: 5, replicaNodes: [1, 2], isrNodes: [1] },
        { partitionIndex: 1, leaderId: 2, replicaNodes: [2], isrNodes: [2] },
        { partitionIndex: 2, leaderId: -1, errorCode: 5, replicaNodes: [3], isrNodes: [] },
        { partitionIndex: 3, leaderId: 77, replicaNodes: [], isrNodes: [] },
      ],
    },
    {
      name: '__consumer_offsets',
      isInternal: true,
      partitions: [{ partitionIndex: 0, leaderId: 1, replicaNodes: [], isrNodes: [] }],
    },
    { name: 'secret', errorCode: 29 },
    { name: 'starting', errorCode: 5 },
    { name: 'empty', partitions: [] },
  ],
};

export const servers = [
  { host: 'boot-a', port: 1 },
  { host: 'boot-b', port: 2 },
];

/** What changes the cluster that `known` returns. */
export function knownWriter(): ClusterWriter {
  const writer = new ClusterWriter(servers);
  writer.update(view(response), 1);
  return writer;
}

export function known(): Cluster {
  return knownWriter().cluster;
}
