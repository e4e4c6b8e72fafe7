// CreateTopics (key 19), versions 0 to 7, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: any node takes it, as KRaft brokers do. Topics are there when the answer is written. -1 partitions or
// replicas mean the cluster's defaults. Codes: 17 bad name, 36 exists, 37 partitions, 38 replication factor, 39
// assignments, 42 assignments beside numbers, or a name twice in one request, which is then answered once.
// `validateOnly` checks and creates nothing; the id it answers belongs to nobody, as with real brokers.
// Configurations are remembered and shown, not checked. `failure`: the code on every topic.

import {
  CreateTopics,
  type CreateTopicsRequestCreatableTopicView,
  type CreateTopicsRequestView,
  type CreateTopicsResponse,
  type CreateTopicsResponseCreatableTopicResult,
} from '../../protocol/flat/generated/apis.ts';
import { ClusterError, type Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { TopicOptions } from '../options.ts';

const topicConfigSource = 1;

export const createTopics: ApiHandler<CreateTopicsRequestView, CreateTopicsResponse> = {
  api: CreateTopics,

  handle(context, request) {
    const byName = new Map<string, CreateTopicsRequestCreatableTopicView[]>();
    for (const topic of request.topics) byName.set(topic.name, [...(byName.get(topic.name) ?? []), topic]);
    const topics = [...byName].map(([name, [wanted, ...more]]) => {
      if (more.length > 0) return refusal(name, errorCodes.INVALID_REQUEST, 'topic named twice');
      return create(context, wanted!, request.validateOnly);
    });
    return { topics };
  },

  failure(_context, request, errorCode) {
    return { topics: request.topics.map(({ name }) => refusal(name, errorCode, `error ${errorCode}`)) };
  },
};

function create(
  context: RequestContext,
  wanted: CreateTopicsRequestCreatableTopicView,
  validateOnly: boolean,
): CreateTopicsResponseCreatableTopicResult {
  const { cluster } = context;
  const { name } = wanted;
  try {
    const options = topicOptions(wanted);
    return success(validateOnly ? cluster.checkTopic(name, options) : cluster.createTopic(name, options));
  } catch (error) {
    if (error instanceof ClusterError) return refusal(name, error.errorCode, error.message);
    throw error;
  }
}

function topicOptions(wanted: CreateTopicsRequestCreatableTopicView): TopicOptions {
  const { numPartitions, replicationFactor, assignments } = wanted;
  const configs = Object.fromEntries(wanted.configs.map(({ name, value }) => [name, value ?? '']));
  if (assignments.length === 0) {
    return {
      configs,
      ...(numPartitions !== -1 && { partitions: numPartitions }),
      ...(replicationFactor !== -1 && { replicationFactor }),
    };
  }
  if (numPartitions !== -1 || replicationFactor !== -1) {
    throw new ClusterError(errorCodes.INVALID_REQUEST, 'assignments beside a number of partitions or replicas');
  }
  return { configs, assignments: inOrder(assignments.toArray()) };
}

/** Replicas by partition, which have to be numbered from 0 without gaps. */
function inOrder(assignments: readonly { partitionIndex: number; brokerIds: Iterable<number> }[]): number[][] {
  const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  if (sorted.some(({ partitionIndex }, position) => partitionIndex !== position)) {
    throw new ClusterError(errorCodes.INVALID_REPLICA_ASSIGNMENT, 'partitions not numbered from 0 without gaps');
  }
  return sorted.map(({ brokerIds }) => [...brokerIds]);
}

function success(topic: Topic): CreateTopicsResponseCreatableTopicResult {
  return {
    name: topic.name,
    topicId: topic.id,
    errorCode: errorCodes.NONE,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.replicationFactor,
    configs: [...topic.configs].map(([name, value]) => ({ name, value, configSource: topicConfigSource })),
  };
}

function refusal(name: string, errorCode: number, errorMessage: string): CreateTopicsResponseCreatableTopicResult {
  return { name, errorCode, errorMessage, configs: null };
}
