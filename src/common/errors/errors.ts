// Owns the client's own error classes, and exports all others. The classes with a number in Kafka's protocol are generated from its
// table of error codes. Every thread. Must not know sockets or rings.

import { UnsupportedVersionError } from './generated/broker-errors.ts';
import { type ErrorDetails, KafkaClientError, type ServerFailure } from './kafka-client-error.ts';

export { AuthorizationError, BrokerError } from './broker-error.ts';
export * from './consumer-errors.ts';
export { errorFor } from './error-for.ts';
export * from './generated/broker-errors.ts';
export { type ErrorDetails, KafkaClientError, type ServerFailure } from './kafka-client-error.ts';
export * from './producer-errors.ts';

/** Any transport failure: refused, reset, closed, DNS, setup timeout. */
export class KafkaConnectionError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CONNECTION';
  static override readonly retriable: boolean = true;
  static override readonly invalidMetadata: boolean = true;
}

/** `send` to a node that is not connected, is throttled, or has reached its limit of requests in flight. */
export class NodeNotReadyError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NODE_NOT_READY';
  static override readonly retriable: boolean = true;
}

/**
 * No server could be used: none of the bootstrap servers at the start, or, later, nobody whom this client may ask, because logins or
 * certificates are refused. The message and `causes` give the reason for each server. Retriable if one of the causes is.
 */
export class NoBrokersAvailable extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NO_BROKERS_AVAILABLE';
  static override readonly retriable: boolean = true;
  static override readonly invalidMetadata: boolean = true;
  /** At the start in the order of `bootstrapServers`; later those of the known brokers come first. */
  readonly causes: readonly ServerFailure[];

  constructor(message: string, details: ErrorDetails = {}) {
    const causes = details.causes ?? [];
    super(message, { retriable: causes.length === 0 || causes.some(isRetriable), ...details });
    this.causes = causes;
  }
}

/** Errors of other classes do not say whether another attempt may succeed, so they count as retriable. */
function isRetriable({ error }: ServerFailure): boolean {
  return !(error instanceof KafkaClientError) || error.retriable;
}

/**
 * What the call needs was closed on purpose before it was done: its node, its client, its consumer. Retriable only if a node was
 * closed: code that closes a client, a consumer or a producer does not need another attempt.
 */
export class Cancelled extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CANCELLED';
}

/** The `AbortSignal` of a call was aborted; `cause` is the signal's reason. */
export class AbortError extends Cancelled {
  static override readonly code: string = 'KAFKA_ABORTED';
}

/** A response that cannot be decoded. */
export class KafkaProtocolError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PROTOCOL';
}

/** A response whose correlation id is not that of the oldest request in flight. */
export class CorrelationIdError extends KafkaProtocolError {
  static override readonly code: string = 'KAFKA_CORRELATION_ID';
  static override readonly retriable: boolean = true;
}

/** A frame length that is negative, below 4 or above `receiveMessageMaxBytes`. */
export class InvalidReceiveError extends KafkaProtocolError {
  static override readonly code: string = 'KAFKA_INVALID_RECEIVE';
}

/** A time limit of the client itself has passed. */
export class KafkaTimeoutError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_TIMEOUT';
  static override readonly retriable: boolean = true;
}

/** The request link has no room: the network thread is behind. Nothing was sent. */
export class RingFullError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_RING_FULL';
  static override readonly retriable: boolean = true;
}

/** The network thread has ended. Every pending request fails once with this error. */
export class NetworkThreadError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NETWORK_THREAD';
}

/** Shared memory has a value that its writer never writes. Fatal: the network thread is ended. */
export class RingCorruptError extends NetworkThreadError {
  static override readonly code: string = 'KAFKA_RING_CORRUPT';
}

/** The configuration is wrong. `problems` lists every problem found. */
export class KafkaConfigurationError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CONFIGURATION';
  readonly problems: readonly string[];

  constructor(problems: readonly string[] | string, details: ErrorDetails = {}) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.length === 1 ? list[0]! : `${list.length} problems:\n- ${list.join('\n- ')}`, details);
    this.problems = list;
  }
}

/** The client and the broker have no common version of an API. */
export class IncompatibleBrokerVersion extends UnsupportedVersionError {
  static override readonly code: string = 'KAFKA_INCOMPATIBLE_BROKER_VERSION';
}

/** The broker's version cannot be inferred, or `apiVersion` names no known release. */
export class UnrecognizedBrokerVersion extends KafkaClientError {
  static override readonly code: string = 'KAFKA_UNRECOGNIZED_BROKER_VERSION';
}

/** A metadata response without brokers. */
export class MetadataEmptyBrokerList extends KafkaClientError {
  static override readonly code: string = 'KAFKA_METADATA_EMPTY_BROKER_LIST';
  static override readonly retriable: boolean = true;
}

/** A compression codec that is unknown, or whose package is not installed. */
export class UnsupportedCodecError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_UNSUPPORTED_CODEC';
}

/** A call that the state of the object does not allow. */
export class IllegalStateError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_ILLEGAL_STATE';
}

/** One thread, or all threads of a network thread, have as many clients, producers, consumers or calls open as there may be. */
export class TooManyOpenError extends IllegalStateError {
  static override readonly code: string = 'KAFKA_TOO_MANY_OPEN';
}

/** `send` to a node with `maxInFlightRequestsPerConnection` requests of this thread in flight. */
export class TooManyInFlightRequests extends NodeNotReadyError {
  static override readonly code: string = 'KAFKA_TOO_MANY_IN_FLIGHT_REQUESTS';
}

/** `send` to a node id that neither metadata nor `bootstrapServers` name. */
export class UnknownBrokerIdError extends NodeNotReadyError {
  static override readonly code: string = 'KAFKA_UNKNOWN_BROKER_ID';
  static override readonly invalidMetadata: boolean = true;
}

/** An argument that has the right type but a wrong value. */
export class IllegalArgumentError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_ILLEGAL_ARGUMENT';
}

/** A certificate, host name or TLS version was refused. Trying again does not help until the configuration of one side has changed. */
export class TlsAuthenticationError extends KafkaConnectionError {
  static override readonly code: string = 'KAFKA_TLS_AUTHENTICATION';
  static override readonly retriable: boolean = false;
  static override readonly invalidMetadata: boolean = false;
}
