// Owns the base class of the errors that have a number in Kafka's protocol. Every thread. The classes, one for each code, are
// generated from the table of error codes.

import { type ErrorDetails, KafkaClientError } from './kafka-client-error.ts';

/**
 * An error that has a number in Kafka's protocol. Most of them are answers of a broker and are made by `errorFor`. The client
 * itself raises a few for the same fault, for example RequestTimedOutError.
 */
export class BrokerError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_BROKER_ERROR';
  /** int16, as in responses. */
  static readonly errorCode: number = -1;
  /** Kafka's name. */
  static readonly errorName: string = 'UNKNOWN_SERVER_ERROR';
  static readonly meaning: string = 'Unclassified failure inside the broker';

  /** Kafka's number, even of codes that this client does not know. */
  readonly errorCode: number;
  /** Kafka's name, such as `NOT_LEADER_OR_FOLLOWER`. `UNKNOWN` for codes that this client does not know. */
  readonly errorName: string;

  /** @param message default: number, class and meaning of the code */
  constructor(message?: string, details: ErrorDetails = {}) {
    const type = new.target;
    super(message ?? `[Error ${type.errorCode}] ${type.name}: ${type.meaning}`, details);
    this.errorCode = details.errorCode ?? type.errorCode;
    this.errorName = this.errorCode === type.errorCode ? type.errorName : 'UNKNOWN';
  }
}

/** The user has no right to do this. Grant the right by an ACL, or log in as another user. */
export abstract class AuthorizationError extends BrokerError {
  static override readonly code: string = 'KAFKA_AUTHORIZATION';
}
