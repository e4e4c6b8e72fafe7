// Owns what answers tell that fit no request, and the errors about them. Network thread.

import { KafkaClientError, UnrecognizedBrokerVersion } from '../../common/errors/errors.ts';
import { withNodeId } from '../../common/errors/kafka-client-error.ts';
import { FindCoordinator } from '../../protocol/flat/generated/apis.ts';
import type { InFlightRequest } from '../requests/request-owner.ts';
import type { Node } from './node.ts';

/** What was thrown, with the node it is about. */
export function withNode(thrown: unknown, nodeId: number): Error {
  if (thrown instanceof KafkaClientError) return withNodeId(thrown, nodeId);
  return new KafkaClientError('unexpected error in the network thread', { cause: thrown, nodeId });
}

/** A broker of 0.8.2 that has no topics yet answers FindCoordinator with correlation id 0. */
export function isAnsweredByZero({ codec, version }: InFlightRequest, correlationId: number, node: Node): boolean {
  if (correlationId !== 0 || codec.apiKey !== FindCoordinator.key || version !== 0) return false;
  return node.apiVersions === null || node.apiVersions.brokerVersion.join('.') === '0.8.2';
}

/** What a wrong answer to the very first request tells. */
export function whoIsThere(correlationId: number, { codec, version }: InFlightRequest): string {
  const isEcho = correlationId === ((codec.apiKey << 16) | version);
  return isEcho
    ? ': the server sends back what it is sent, it is not a Kafka broker'
    : '; it may not be a Kafka broker';
}

/** A server that has ended the connection at every question. Retriable if its last end was: a broker that is full closes too. */
export function unrecognized(node: Node, cause: Error): Error {
  const retriable = cause instanceof KafkaClientError && cause.retriable;
  const text = `${cause.message}; nor did it answer anything that older brokers know`;
  return new UnrecognizedBrokerVersion(text, { nodeId: node.id, cause, retriable });
}
