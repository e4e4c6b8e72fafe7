// Owns errors that name what a broker's error code is about: the group, or the topics. Network thread.

import { type BrokerError, errorFor, GroupFatalError } from '../../common/errors/errors.ts';
import { codes } from './codes.ts';

type BrokerErrorClass = new (message: string, details: { errorCode: number }) => BrokerError;

/** The error of a code other than 0, with what it is about in its message. */
export function errorAbout(errorCode: number, about: string): BrokerError {
  const plain = errorFor(errorCode)!;
  return new (plain.constructor as BrokerErrorClass)(`${plain.message}: ${about}`, { errorCode });
}

/** The group does not accept this member. */
export function refusedBy(groupId: string, errorCode: number, message: string | null): GroupFatalError {
  const cause = errorFor(errorCode)!;
  const said = message === null || message === '' ? cause.message : `${cause.message}: ${message}`;
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
