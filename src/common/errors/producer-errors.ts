// Owns the errors of producers that have no number in Kafka's protocol. Every thread. What a broker answered stays an error of its
// own class; topic, partition, `maybeWritten` and `fatal` are fields of every error.

import { KafkaClientError } from './kafka-client-error.ts';

/** `deliveryTimeoutMs` was over before the broker acknowledged the records. */
export class DeliveryTimeoutError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_DELIVERY_TIMEOUT';
  static override readonly retriable: boolean = true;
}

/** There is no room for the record: the memory of the producer is full. */
export class BufferExhaustedError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_BUFFER_EXHAUSTED';
  static override readonly retriable: boolean = true;
}

/** Metadata of the topic, or of the partition, did not come within `maxBlockMs`. */
export class TopicMetadataTimeoutError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_TOPIC_METADATA_TIMEOUT';
  static override readonly retriable: boolean = true;
  static override readonly invalidMetadata: boolean = true;
}

/** A record larger than `maxRequestSizeBytes`, or than the memory of the producer; only this record failed. */
export class RecordTooLargeError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_RECORD_TOO_LARGE';
}

/** A serializer failed; only this record failed. */
export class SerializationError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_SERIALIZATION';
}

/** The producer is closed, or was closed before the records were acknowledged. */
export class ProducerClosedError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PRODUCER_CLOSED';
}

/** The records belong to a transaction that was aborted before they were sent. */
export class TransactionAbortedError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_TRANSACTION_ABORTED';
}

/** The producer can only be closed; the cause says why. */
export class ProducerFatalError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PRODUCER_FATAL';
}
