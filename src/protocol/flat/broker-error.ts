// Owns the error made of an error code in a response. Runs on every thread. Must not decide what happens about it: a code
// in a response is data, and an error of it is made only when someone asks.

import { type ErrorDetails, KafkaClientError } from '../../common/errors.ts';
import { errorCodes } from './generated/error-codes.ts';

/** What is known about one error code. */
export interface BrokerErrorRow {
  /** int16, as in the response. */
  readonly code: number;
  /** Kafka's name, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly name: string;
  /** Name for the error, such as `NotLeaderForPartitionError`. */
  readonly className: string;
  readonly retriable: boolean;
  readonly invalidMetadata: boolean;
  readonly message: string;
}

/** A broker answered with an error code. `name` tells which, `retriable` and `invalidMetadata` what to do about it. */
export class BrokerError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_BROKER_ERROR';

  /** `KAFKA_BROKER_` and Kafka's name. */
  override readonly code: string;
  override readonly retriable: boolean;
  override readonly invalidMetadata: boolean;
  /** Kafka's number, also of codes this client does not know. */
  readonly errorCode: number;
  /** Kafka's name, `UNKNOWN` for codes this client does not know. */
  readonly errorName: string;

  constructor(row: BrokerErrorRow, details: ErrorDetails = {}) {
    super(`[Error ${row.code}] ${row.className}: ${row.message}`, details);
    this.name = row.className;
    this.code = `KAFKA_BROKER_${row.name}`;
    this.retriable = row.retriable;
    this.invalidMetadata = row.invalidMetadata;
    this.errorCode = row.code;
    this.errorName = row.name;
  }
}

/**
 * The error for a code in a response, or null for 0. A code this client does not know keeps its number; it is an
 * `UnknownError` and not retriable.
 */
export function errorFor(code: number): BrokerError | null {
  if (code === 0) return null;
  return new BrokerError(errorCodes.get(code) ?? unknownRow(code));
}

function unknownRow(code: number): BrokerErrorRow {
  const message = `error code ${code}, which this client does not know`;
  return { code, name: 'UNKNOWN', className: 'UnknownError', retriable: false, invalidMetadata: false, message };
}
