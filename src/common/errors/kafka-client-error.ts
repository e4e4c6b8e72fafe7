// Owns the base class of every error of the client, and the fields that an error may have. Every thread. No message or field may
// hold a secret.

/** The fields that an error may have beside its message. */
export interface ErrorDetails {
  cause?: unknown;
  /** int32 broker id. Negative for a bootstrap server. */
  nodeId?: number;
  apiKey?: number;
  correlationId?: number;
  /** Byte offset in the message at which decoding failed. */
  offset?: number;
  /** Dotted path of the field that failed. */
  field?: string;
  /** For BrokerError: Kafka's number, if it is not the number of the class. */
  errorCode?: number;
  /** Whether the same may succeed later, if this differs from the class's default. */
  retriable?: boolean;
  /** For errors about a partition. */
  topic?: string;
  partition?: number;
  /** True for records that were not acknowledged and yet may be in the log. */
  maybeWritten?: boolean;
  /** True if the producer or consumer that raised it can only be closed. */
  fatal?: boolean;
  /** The offset in the partition, an int64 in decimal. */
  recordOffset?: string;
  /** For NoBrokersAvailable: the reason for each server. */
  causes?: readonly ServerFailure[];
}

/** A server that could not be used, and why. */
export interface ServerFailure {
  readonly host: string;
  readonly port: number;
  readonly error: Error;
}

/**
 * The base class of the errors that fail a Future or a call.
 * `code` is stable across releases. `retriable` says whether the same request may succeed later.
 * `invalidMetadata` says whether the caller should refresh metadata first. The message ends with the code in brackets.
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
  /** For records that were not acknowledged: whether they may be in the log. */
  declare maybeWritten?: boolean;
  /** Whether the producer that raised it can only be closed. */
  declare fatal?: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    const type = new.target;
    super(withCode(message, type.code), details.cause === undefined ? undefined : { cause: details.cause });
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

const codes = / \[KAFKA_[A-Z0-9_]+\]/g;

/** The text of an error without the code of its class: for texts that it becomes a part of. */
export function withoutCode(message: string): string {
  return message.includes(' [KAFKA_') ? message.replace(codes, '') : message;
}

/** An error's text ends with its code. The texts of other errors in it lose theirs: `cause` has them. */
function withCode(message: string, code: string): string {
  return `${withoutCode(message)} [${code}]`;
}

/** Sets the error's node unless it has one. Returns the error. */
export function withNodeId<E>(error: E, nodeId: number): E {
  if (error instanceof KafkaClientError) error.nodeId ??= nodeId;
  return error;
}

/**
 * Refusals of the user. Trying again does not help and may lock the account. So an error that one of them caused is not retriable
 * either.
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
