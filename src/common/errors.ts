// Owns every error class the client raises and their passage between threads as plain data. Runs on every thread.
// Must not hold a secret in any message or field, and must not know sockets or rings.

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
  /** Of NoBrokersAvailable: what was wrong with each server. */
  causes?: readonly ServerFailure[];
}

/** A server that could not be used, and why. */
export interface ServerFailure {
  readonly host: string;
  readonly port: number;
  readonly error: Error;
}

/** An error as data that structured clone and JSON carry. */
export interface PlainError extends Omit<ErrorDetails, 'cause' | 'causes'> {
  name: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: PlainError;
  causes?: { host: string; port: number; error: PlainError }[];
  /** Kafka's number for it, when a broker sent it. */
  errorCode?: number;
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

/** Any transport failure: refused, reset, closed, DNS, setup timeout. */
export class KafkaConnectionError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CONNECTION';
  static override readonly retriable: boolean = true;
  static override readonly invalidMetadata: boolean = true;
}

/** `send` to a node that is not connected, is throttled, or has its in-flight limit reached. */
export class NodeNotReadyError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NODE_NOT_READY';
  static override readonly retriable: boolean = true;
}

/** No bootstrap server could be used; message and `causes` say why, server by server. */
export class NoBrokersAvailable extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NO_BROKERS_AVAILABLE';
  static override readonly retriable: boolean = true;
  static override readonly invalidMetadata: boolean = true;
  /** In the order of `bootstrapServers`. */
  readonly causes: readonly ServerFailure[];

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.causes = details.causes ?? [];
  }
}

/** The request was in flight when its node or the client was closed on purpose. */
export class Cancelled extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CANCELLED';
  static override readonly retriable: boolean = true;
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

/** No response within the request's deadline; judged in the network thread, so a busy application never causes it. */
export class RequestTimedOutError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_REQUEST_TIMED_OUT';
  static override readonly retriable: boolean = true;
}

/** A wait of the client itself ran out. */
export class KafkaTimeoutError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_TIMEOUT';
  static override readonly retriable: boolean = true;
}

/** The request link has no room: the network thread is behind. Nothing was sent. */
export class RingFullError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_RING_FULL';
  static override readonly retriable: boolean = true;
}

/** The network thread has ended; every pending request fails with this once. */
export class NetworkThreadError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_NETWORK_THREAD';
}

/** Shared memory held a value that its writer never writes. Fatal: the network thread is ended. */
export class RingCorruptError extends NetworkThreadError {
  static override readonly code: string = 'KAFKA_RING_CORRUPT';
}

/** Wrong configuration; `problems` lists every one found. */
export class KafkaConfigurationError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CONFIGURATION';
  readonly problems: readonly string[];

  constructor(problems: readonly string[] | string, details: ErrorDetails = {}) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.length === 1 ? list[0]! : `${list.length} problems:\n- ${list.join('\n- ')}`, details);
    this.problems = list;
  }
}

/** A request that cannot be written: wrong type or range of a field, or a field its version does not have. */
export class InvalidRequestError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_INVALID_REQUEST_FIELD';
}

/** The broker speaks no version of this API that the client speaks, or not the one asked for. */
export class UnsupportedVersionError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_UNSUPPORTED_VERSION';
}

/** No version in common between client and broker for an API. */
export class IncompatibleBrokerVersion extends UnsupportedVersionError {
  static override readonly code: string = 'KAFKA_INCOMPATIBLE_BROKER_VERSION';
}

/** The broker's version cannot be inferred, or `apiVersion` names none. */
export class UnrecognizedBrokerVersion extends KafkaClientError {
  static override readonly code: string = 'KAFKA_UNRECOGNIZED_BROKER_VERSION';
}

/** A metadata response without brokers. */
export class MetadataEmptyBrokerList extends KafkaClientError {
  static override readonly code: string = 'KAFKA_METADATA_EMPTY_BROKER_LIST';
  static override readonly retriable: boolean = true;
}

/** A records field that fails its checksum or contradicts itself. */
export class CorruptRecordError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_CORRUPT_RECORD';
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

const classes: Record<string, new (message: string, details?: ErrorDetails) => KafkaClientError> = {
  KafkaClientError,
  KafkaConnectionError,
  NodeNotReadyError,
  NoBrokersAvailable,
  Cancelled,
  KafkaProtocolError,
  CorrelationIdError,
  InvalidReceiveError,
  RequestTimedOutError,
  KafkaTimeoutError,
  RingFullError,
  NetworkThreadError,
  RingCorruptError,
  KafkaConfigurationError,
  InvalidRequestError,
  UnsupportedVersionError,
  IncompatibleBrokerVersion,
  UnrecognizedBrokerVersion,
  MetadataEmptyBrokerList,
  CorruptRecordError,
  UnsupportedCodecError,
  IllegalStateError,
};

const maxCauseDepth = 8;

/** Any thrown value as data. Never throws itself. */
export function toPlainError(thrown: unknown, depth = 0): PlainError {
  try {
    return describeError(thrown, depth);
  } catch {
    // A getter or toString of the thrown value threw itself.
    return { name: 'Error', message: 'a thrown value that cannot be described' };
  }
}

function describeError(thrown: unknown, depth: number): PlainError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: `thrown value: ${String(thrown)}` };
  const plain: PlainError = { name: String(thrown.name), message: String(thrown.message) };
  const source = thrown as Error & Partial<KafkaClientError> & { errorCode?: number };
  for (const key of ['code', 'stack', 'field'] as const) {
    if (typeof source[key] === 'string') plain[key] = source[key];
  }
  for (const key of ['nodeId', 'apiKey', 'correlationId', 'offset', 'errorCode'] as const) {
    if (Number.isFinite(source[key])) plain[key] = source[key]!;
  }
  if (depth >= maxCauseDepth) return plain;
  if (thrown.cause !== undefined) plain.cause = toPlainError(thrown.cause, depth + 1);
  if (thrown instanceof NoBrokersAvailable) {
    plain.causes = thrown.causes.map(({ host, port, error }) => ({
      host,
      port,
      error: toPlainError(error, depth + 1),
    }));
  }
  return plain;
}

/** The error again, with its class where it is one of ours; other errors keep name, message, code and stack. */
export function fromPlainError(plain: PlainError): Error {
  const { name, message, cause, causes, stack, code, ...details } = plain;
  const rebuiltCause = cause === undefined ? undefined : fromPlainError(cause);
  const type = Object.hasOwn(classes, name) ? classes[name] : undefined;
  let error: Error;
  if (type !== undefined) {
    const rebuiltCauses = causes?.map(({ host, port, error }) => ({ host, port, error: fromPlainError(error) }));
    error = new type(message, { ...details, cause: rebuiltCause, causes: rebuiltCauses });
  } else {
    error = new Error(message, rebuiltCause === undefined ? undefined : { cause: rebuiltCause });
    error.name = name;
    if (code !== undefined) Object.assign(error, { code });
  }
  if (stack !== undefined) error.stack = stack;
  return error;
}
