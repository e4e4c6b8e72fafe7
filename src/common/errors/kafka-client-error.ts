// Owns the base of every error the client raises, and what an error may carry. Every thread. Must not hold a secret in any
// message or field.

/** What an error may carry beside its message. */
export interface ErrorDetails {
  cause?: unknown;
  /** int32 broker id, negative for a bootstrap server. */
  nodeId?: number;
  apiKey?: number;
  correlationId?: number;
  /** Byte offset in the message at which decoding failed. */
  offset?: number;
  /** Dotted path of the field that failed. */
  field?: string;
  /** Of BrokerError: Kafka's number, where it is not that of the class. */
  errorCode?: number;
  /** Of NoBrokersAvailable: what was wrong with each server. */
  causes?: readonly ServerFailure[];
}

/** A server that could not be used, and why. */
export interface ServerFailure {
  readonly host: string;
  readonly port: number;
  readonly error: Error;
}

/**
 * Base of everything that fails a Future or a call.
 * `code` is stable across releases, `retriable` says whether the same request may succeed later,
 * `invalidMetadata` whether the caller should refresh metadata first.
 */
export class KafkaClientError extends Error {
  static readonly code: string = 'KAFKA_CLIENT_ERROR';
  static readonly retriable: boolean = false;
  static readonly invalidMetadata: boolean = false;

  readonly code: string;
  readonly retriable: boolean;
  readonly invalidMetadata: boolean;
  declare nodeId?: number;
  declare apiKey?: number;
  declare correlationId?: number;
  declare offset?: number;
  declare field?: string;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const type = new.target;
    this.name = type.name;
    this.code = type.code;
    this.retriable = type.retriable;
    this.invalidMetadata = type.invalidMetadata;
    if (details.nodeId !== undefined) this.nodeId = details.nodeId;
    if (details.apiKey !== undefined) this.apiKey = details.apiKey;
    if (details.correlationId !== undefined) this.correlationId = details.correlationId;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.field !== undefined) this.field = details.field;
  }
}
