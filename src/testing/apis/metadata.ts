// Metadata (key 3), versions 0 to 13, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: a null list of topics means all, an empty one none, but in version 0 all. Topics are looked up by name, from
// version 12 on also by id; unknown ids get code 100, unknown names 3. With auto-creation allowed by the cluster and by
// the request a missing topic is made at once, but this answer still says 3, as a KRaft broker's does. A
// partition without a leader has code 5. Replicas whose node has gone are offline, and not in sync. Authorized operations
// are never filled in. `failure`: the code on each topic, brokers as usual; without topics at the top, which only
// version 13 has.

import {
  Metadata,
  type MetadataRequestTopicView,
  type MetadataRequestView,
  type MetadataResponse,
  type MetadataResponsePartition,
  type MetadataResponseTopic,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { ClusterError, type ClusterState, type Partition, type Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

export const metadata: ApiHandler<MetadataRequestView, MetadataResponse> = {
  api: Metadata,

  handle(context, request) {
    const { cluster } = context;
    const wanted = wantsAll(context, request) ? null : request.topics!.toArray();
    const mayCreate = cluster.defaults.autoCreateTopics && (context.version < 4 || request.allowAutoTopicCreation);
    const topics =
      wanted === null
        ? cluster.topics.map((topic) => describe(cluster, topic))
        : wanted.map((entry) => describeWanted(cluster, entry, mayCreate));
    return { ...describeCluster(cluster), topics };
  },

  failure(context, request, errorCode) {
    const wanted = wantsAll(context, request) ? context.cluster.topics : request.topics!.toArray();
    const topics = wanted.map((topic) => ({ errorCode, name: topic.name }));
    return { ...describeCluster(context.cluster), topics, ...(topics.length === 0 && { errorCode }) };
  },
};

function wantsAll(context: RequestContext, request: MetadataRequestView): boolean {
  return request.topics === null || (context.version === 0 && request.topics.length === 0);
}

function describeCluster(cluster: ClusterState): MetadataResponse {
  return {
    brokers: cluster.nodes.map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
    clusterId: cluster.defaults.clusterId,
    controllerId: cluster.controllerId,
  };
}

function describeWanted(
  cluster: ClusterState,
  entry: MetadataRequestTopicView,
  mayCreate: boolean,
): MetadataResponseTopic {
  const { name } = entry;
  if (name === null) {
    const topic = cluster.topicById(entry.topicId);
    if (topic !== undefined) return describe(cluster, topic);
    return { errorCode: errorCodes.UNKNOWN_TOPIC_ID, name: null, topicId: entry.topicId };
  }
  const topic = cluster.topic(name);
  if (topic !== undefined) return describe(cluster, topic);
  return {
    errorCode: mayCreate ? autoCreate(cluster, name) : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    name,
    topicId: zeroUuid,
  };
}

function autoCreate(cluster: ClusterState, name: string): number {
  try {
    cluster.createTopic(name);
    return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  } catch (error) {
    if (error instanceof ClusterError) return error.errorCode;
    throw error;
  }
}

function describe(cluster: ClusterState, topic: Topic): MetadataResponseTopic {
  return {
    errorCode: errorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => describePartition(cluster, partition)),
  };
}

function describePartition(cluster: ClusterState, partition: Partition): MetadataResponsePartition {
  const alive = partition.replicas.filter((id) => cluster.hasNode(id));
  return {
    errorCode: partition.leaderId === -1 ? errorCodes.LEADER_NOT_AVAILABLE : errorCodes.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: alive,
    offlineReplicas: partition.replicas.filter((id) => !alive.includes(id)),
  };
}
