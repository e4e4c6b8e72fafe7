// Owns the public names of `offthread-kafka/protocol`: every message of Kafka's protocol as types, views and constants, and the data
// messages that applications read and write themselves. Application thread. The main entry must not load it.

export { AuthorizationError, BrokerError } from '../common/errors/broker-error.ts';
export { errorFor } from '../common/errors/error-for.ts';
export * from '../common/errors/generated/broker-errors.ts';
export { errorCodes } from '../common/errors/generated/error-codes.ts';
export type { Api, ApiMessages } from '../protocol/flat/api.ts';
export type { FlatArray } from '../protocol/flat/flat-view.ts';
export type { AbortedTxnView } from '../protocol/flat/generated/aborted-txn.ts';
export * from '../protocol/flat/generated/apis.ts';
export type {
  ConsumerProtocolAssignmentTopicPartition,
  ConsumerProtocolAssignmentTopicPartitionView,
  ConsumerProtocolAssignmentView,
} from '../protocol/flat/generated/consumer-protocol-assignment.ts';
export type {
  ConsumerProtocolSubscriptionTopicPartition,
  ConsumerProtocolSubscriptionTopicPartitionView,
  ConsumerProtocolSubscriptionView,
} from '../protocol/flat/generated/consumer-protocol-subscription.ts';
export type { ControlRecordTypeSchemaView } from '../protocol/flat/generated/control-record-type-schema.ts';
export type { DefaultPrincipalDataView } from '../protocol/flat/generated/default-principal-data.ts';
export type { EndTxnMarkerView } from '../protocol/flat/generated/end-txn-marker.ts';
export type { KRaftVersionRecordView } from '../protocol/flat/generated/k-raft-version-record.ts';
export type {
  LeaderChangeMessageView,
  LeaderChangeMessageVoter,
  LeaderChangeMessageVoterView,
} from '../protocol/flat/generated/leader-change-message.ts';
export type { SnapshotFooterRecordView } from '../protocol/flat/generated/snapshot-footer-record.ts';
export type { SnapshotHeaderRecordView } from '../protocol/flat/generated/snapshot-header-record.ts';
export type {
  VotersRecordEndpoint,
  VotersRecordEndpointView,
  VotersRecordKRaftVersionFeature,
  VotersRecordKRaftVersionFeatureView,
  VotersRecordView,
  VotersRecordVoter,
  VotersRecordVoterView,
} from '../protocol/flat/generated/voters-record.ts';
export type { Int64 } from '../protocol/flat/inputs.ts';
export {
  type AbortedTransaction,
  committedRanges,
  committedRecords,
  type RecordRange,
} from '../protocol/flat/records/aborted-transactions.ts';
export type { RecordBatchView } from '../protocol/flat/records/record-batch-view.ts';
export type { RecordCursor } from '../protocol/flat/records/record-cursor.ts';
export type { RecordHeader } from '../protocol/flat/records/record-headers.ts';
export type { RecordsView, RecordView } from '../protocol/flat/records/record-view.ts';
export type {
  RecordBatchInput,
  RecordBytes,
  RecordHeadersInput,
  RecordInput,
  RecordsCallback,
  RecordsInput,
  RecordWriter,
} from '../protocol/flat/records/record-writer.ts';
export type { CompressionType } from '../protocol/flat/records/records-slot.ts';
export * from './data-messages.ts';
