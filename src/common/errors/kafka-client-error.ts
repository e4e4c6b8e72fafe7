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
  /** Whether the same may succeed later, where that is not told by the class. */
  retriable?: boolean;
  /** Of errors about a partition. */
  topic?: string;
  partition?: number;
  /** Of records that were not acknowledged: nobody knows whether they are in the log. */
  maybeWritten?: boolean;
  /** Whoever raised it can only be closed. */
  fatal?: boolean;
  /** int64 in decimal: the offset in the partition. */
  recordOffset?: string;
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
  declare topic?: string;
  declare partition?: number;
  /** Of records that were not acknowledged: whether they may be in the log all the same. */
  declare maybeWritten?: boolean;
  /** Whether the producer it comes from can only be closed. */
  declare fatal?: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const type = new.target;
    this.name = type.name;
    this.code = type.code;
    this.retriable = details.retriable ?? (type.retriable && !isRefusal(details.cause));
    this.invalidMetadata = type.invalidMetadata;
    if (details.nodeId !== undefined) this.nodeId = details.nodeId;
    if (details.apiKey !== undefined) this.apiKey = details.apiKey;
    if (details.correlationId !== undefined) this.correlationId = details.correlationId;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.field !== undefined) this.field = details.field;
    if (details.topic !== undefined) this.topic = details.topic;
    if (details.partition !== undefined) this.partition = details.partition;
    if (details.maybeWritten !== undefined) this.maybeWritten = details.maybeWritten;
    if (details.fatal !== undefined) this.fatal = details.fatal;
  }
}

/** The same error, with the node it is about unless it names one already. */
export function withNodeId<E>(error: E, nodeId: number): E {
  if (error instanceof KafkaClientError) error.nodeId ??= nodeId;
  return error;
}

/**
 * Verdicts about who we are. Trying again does not change them, and may lock an account: so an error that one of them caused
 * is not retriable either, wherever it surfaces.
 */
const refusals: ReadonlySet<string> = new Set([
  'KAFKA_SASL_AUTHENTICATION_FAILED',
  'KAFKA_UNSUPPORTED_SASL_MECHANISM',
  'KAFKA_ILLEGAL_SASL_STATE',
  'KAFKA_TLS_AUTHENTICATION',
]);
const maxCauseDepth = 8;

export function isRefusal(cause: unknown, depth = 0): boolean {
  if (!(cause instanceof KafkaClientError) || cause.retriable || depth > maxCauseDepth) return false;
  return refusals.has(cause.code) || isRefusal(cause.cause, depth + 1);
}
