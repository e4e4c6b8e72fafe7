// Owns the errors of producers that have no number in Kafka's protocol. Every thread. A broker's answer keeps the class of its
// code. Every error may have the fields topic, partition, `maybeWritten` and `fatal`.

import { KafkaClientError } from './kafka-client-error.ts';

/** The broker did not acknowledge the records within `deliveryTimeoutMs`. */
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

/** The record is larger than `maxRequestSizeBytes` or than the memory of the producer. Only this record failed. */
export class RecordTooLargeError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_RECORD_TOO_LARGE';
}

/** A serializer threw. Only this record failed. */
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

/** The producer can only be closed. `cause` is the reason. */
export class ProducerFatalError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PRODUCER_FATAL';
}
