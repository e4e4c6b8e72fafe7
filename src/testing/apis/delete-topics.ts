// DeleteTopics (key 20), versions 0 to 6, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: any node takes it, as KRaft brokers do. By name, from version 6 on by name or id; unknown names get code 3,
// unknown ids 100. Topics are gone, with their records, when the answer is written. `failure`: the code on every topic.

import {
  DeleteTopics,
  type DeleteTopicsRequestView,
  type DeleteTopicsResponse,
  type DeleteTopicsResponseDeletableTopicResult,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

interface Named {
  readonly name: string | null;
  readonly topicId: string;
}

const idsFrom = 6;

export const deleteTopics: ApiHandler<DeleteTopicsRequestView, DeleteTopicsResponse> = {
  api: DeleteTopics,

  handle(context, request) {
    return { responses: named(context, request).map((topic) => remove(context, topic)) };
  },

  failure(context, request, errorCode) {
    return {
      responses: named(context, request).map((topic) => ({ ...topic, errorCode, errorMessage: `error ${errorCode}` })),
    };
  },
};

function named(context: RequestContext, request: DeleteTopicsRequestView): Named[] {
  if (context.version >= idsFrom) return request.topics.map(({ name, topicId }) => ({ name, topicId }));
  return request.topicNames.map((name) => ({ name, topicId: zeroUuid }));
}

function remove(context: RequestContext, { name, topicId }: Named): DeleteTopicsResponseDeletableTopicResult {
  const { cluster } = context;
  const topic = name === null ? cluster.topicById(topicId) : cluster.topic(name);
  if (topic === undefined) {
    const errorCode = name === null ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    return { name, topicId, errorCode, errorMessage: 'no such topic' };
  }
  cluster.deleteTopic(topic.name);
  return { name: topic.name, topicId: topic.id, errorCode: errorCodes.NONE };
}
