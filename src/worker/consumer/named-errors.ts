// Owns errors that name what a broker's error code is about: the group, the topics, or a place in a log. Network thread.

import {
  type BrokerError,
  CorruptBatchError,
  errorFor,
  FetchFailedError,
  GroupFatalError,
} from '../../common/errors/errors.ts';
import { codes } from './codes.ts';
import type { Partition } from './partition.ts';

type BrokerErrorClass = new (message: string, details: { errorCode: number }) => BrokerError;

/** The error of a code other than 0, with what it is about in its message. */
export function errorAbout(errorCode: number, about: string): BrokerError {
  const plain = errorFor(errorCode)!;
  return new (plain.constructor as BrokerErrorClass)(`${plain.message}: ${about}`, { errorCode });
}

/** What a coordinator lacks that does not know the protocol of KIP-848, or not this version of it, and what to do. */
export const unsupportedMembership =
  "the coordinator does not support this membership (KIP-848; patterns for the broker need version 1 of ConsumerGroupHeartbeat): use groupProtocol 'classic' or 'auto'";

/** The group does not accept this member. @param help what to do about it */
export function refusedBy(
  groupId: string,
  errorCode: number,
  message: string | null,
  help: string | null = null,
): GroupFatalError {
  const cause = errorFor(errorCode)!;
  const said = [cause.message, message, help].filter((part) => part !== null && part !== '').join(': ');
  return new GroupFatalError(`the group ${groupId} refuses this member: ${said}`, { cause });
}

/** Some topics of a subscription may not be read. Brokers say in words which. */
export function deniedTopics(subscribed: readonly string[], message: string | null): BrokerError {
  const about = message === null || message === '' ? `one of ${subscribed.join(', ')}` : message;
  return errorAbout(codes.topicAuthorizationFailed, about);
}

export function patternNotForClassic(): GroupFatalError {
  return new GroupFatalError(
    "a pattern for the broker needs groupProtocol 'consumer'; give a RegExp, or names, instead",
  );
}

/** A fetch was answered with a code that no retry helps against. Raised in order; the position stays, and the application may seek. */
export function unexpectedFetchError({ topic, index, fetchPosition }: Partition, errorCode: number): Error {
  const { offset } = fetchPosition;
  const cause = errorFor(errorCode)!;
  const details = { topic, partition: index, recordOffset: String(offset), cause };
  const text = `fetch of ${topic}-${index} at offset ${offset} failed: ${cause.message}`;
  return errorCode === codes.corruptMessage
    ? new CorruptBatchError(`${text}; seek past the batch to go on without it`, details)
    : new FetchFailedError(`${text}; seek, to the same offset or to another, to try again`, details);
}
