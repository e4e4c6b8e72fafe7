// Owns the messages that are bytes inside other messages, in records or in a broker's files, for applications that read or write such
// bytes themselves. Application thread. The main entry must not load it, because it loads the wire codecs.

import { InvalidRequestError, KafkaProtocolError } from '../common/errors/errors.ts';
import { HeapMemory } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import * as abortedTxn from '../protocol/flat/generated/aborted-txn.ts';
import * as consumerProtocolAssignment from '../protocol/flat/generated/consumer-protocol-assignment.ts';
import * as consumerProtocolSubscription from '../protocol/flat/generated/consumer-protocol-subscription.ts';
import * as controlRecordTypeSchema from '../protocol/flat/generated/control-record-type-schema.ts';
import * as defaultPrincipalData from '../protocol/flat/generated/default-principal-data.ts';
import * as endTxnMarker from '../protocol/flat/generated/end-txn-marker.ts';
import * as kRaftVersionRecord from '../protocol/flat/generated/k-raft-version-record.ts';
import * as leaderChangeMessage from '../protocol/flat/generated/leader-change-message.ts';
import * as snapshotFooterRecord from '../protocol/flat/generated/snapshot-footer-record.ts';
import * as snapshotHeaderRecord from '../protocol/flat/generated/snapshot-header-record.ts';
import * as votersRecord from '../protocol/flat/generated/voters-record.ts';
import { dataCodec } from '../protocol/wire/codecs.ts';
import { WireReader } from '../protocol/wire/wire-reader.ts';
import { WireWriter } from '../protocol/wire/wire-writer.ts';

const versionBytes = 2;

/** One kind of data message. `Data` is the plain object to write. `View` is the result of a read; its fields are read lazily. */
export interface DataMessage<Data, View> {
  /** Kafka's name. */
  readonly name: string;
  /** The lowest and the highest version that this package knows. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /**
   * Returns the bytes. They begin with the version (int16).
   * @param version default `maxVersion`; fields that the version does not have are left out
   * @throws {@link InvalidRequestError} for an unknown version, an unknown field, or a value out of range
   */
  encode(data: Data, version?: number): Buffer;
  /**
   * Reads bytes that begin with the version. A version above `maxVersion` is read as `maxVersion`; bytes after that are ignored.
   * @throws {@link KafkaProtocolError} for bytes that are not such a message
   */
  decode(bytes: Uint8Array): View;
}

interface FlatModule<Data, View> {
  write(w: FlatWriter, data: Data): void;
  read(message: FlatMessage): View;
}

/** The place of the version: before the message, or its first field `version`. Both are an int16. */
type Place = 'in front' | 'own field';

function dataMessage<Data extends object, View>(
  name: string,
  [minVersion, maxVersion]: readonly [number, number],
  flat: FlatModule<Data, View>,
  place: Place = 'in front',
): DataMessage<Data, View> {
  const isKnown = (version: number): boolean =>
    Number.isInteger(version) && version >= minVersion && version <= maxVersion;
  return {
    name,
    minVersion,
    maxVersion,
    encode: (data, version = maxVersion) => {
      if (!isKnown(version)) {
        throw new InvalidRequestError(`${name} has versions ${minVersion} to ${maxVersion}, not ${version}`);
      }
      const message = written((w) => flat.write(w, place === 'in front' ? data : { ...data, version }));
      const wire = new WireWriter();
      if (place === 'in front') wire.int16(version);
      dataCodec(name).encode(message, wire, version);
      return wire.finish();
    },
    decode: (bytes) => {
      if (bytes.byteLength < versionBytes) {
        throw new KafkaProtocolError(
          `${name} must begin with a version of ${versionBytes} bytes, but there are ${bytes.byteLength} bytes`,
        );
      }
      const version = new WireReader(bytes).int16();
      if (version < minVersion) {
        throw new KafkaProtocolError(`${name} has versions from ${minVersion} on; the bytes say ${version}`);
      }
      const known = Math.min(version, maxVersion);
      const reader = new WireReader(bytes, place === 'in front' ? versionBytes : 0);
      return flat.read(written((w) => dataCodec(name).decode(reader, w, known)));
    },
  };
}

function written(write: (w: FlatWriter) => void): FlatMessage {
  const memory = new HeapMemory();
  const flat = new FlatWriter().reset(memory);
  write(flat);
  const byteLength = flat.finish();
  const { i32, u8, base } = memory;
  return new FlatMessage({ i32, u8, base, byteLength });
}

/** What a member of a classic group tells the leader: `metadata` in JoinGroup. */
export type ConsumerProtocolSubscription = consumerProtocolSubscription.ConsumerProtocolSubscription;
/** What a member of a classic group tells the leader: `metadata` in JoinGroup. */
export const ConsumerProtocolSubscription: DataMessage<
  ConsumerProtocolSubscription,
  consumerProtocolSubscription.ConsumerProtocolSubscriptionView
> = dataMessage('ConsumerProtocolSubscription', [0, 3], consumerProtocolSubscription);

/** What a member of a classic group gets from its leader: `assignment` in SyncGroup and DescribeGroups. */
export type ConsumerProtocolAssignment = consumerProtocolAssignment.ConsumerProtocolAssignment;
/** What a member of a classic group gets from its leader: `assignment` in SyncGroup and DescribeGroups. */
export const ConsumerProtocolAssignment: DataMessage<
  ConsumerProtocolAssignment,
  consumerProtocolAssignment.ConsumerProtocolAssignmentView
> = dataMessage('ConsumerProtocolAssignment', [0, 3], consumerProtocolAssignment);

/** The key of a control record. */
export type ControlRecordTypeSchema = controlRecordTypeSchema.ControlRecordTypeSchema;
/** The key of a control record. */
export const ControlRecordTypeSchema: DataMessage<
  ControlRecordTypeSchema,
  controlRecordTypeSchema.ControlRecordTypeSchemaView
> = dataMessage('ControlRecordTypeSchema', [0, 0], controlRecordTypeSchema);

/** The value of a commit or abort marker. */
export type EndTxnMarker = endTxnMarker.EndTxnMarker;
/** The value of a commit or abort marker. */
export const EndTxnMarker: DataMessage<EndTxnMarker, endTxnMarker.EndTxnMarkerView> = dataMessage(
  'EndTxnMarker',
  [0, 0],
  endTxnMarker,
);

/** An entry of the transaction index beside a segment. */
export type AbortedTxn = abortedTxn.AbortedTxn;
/** An entry of the transaction index beside a segment. */
export const AbortedTxn: DataMessage<AbortedTxn, abortedTxn.AbortedTxnView> = dataMessage(
  'AbortedTxn',
  [0, 0],
  abortedTxn,
);

/** The principal inside an Envelope. */
export type DefaultPrincipalData = defaultPrincipalData.DefaultPrincipalData;
/** The principal inside an Envelope. */
export const DefaultPrincipalData: DataMessage<DefaultPrincipalData, defaultPrincipalData.DefaultPrincipalDataView> =
  dataMessage('DefaultPrincipalData', [0, 0], defaultPrincipalData);

/** The control record that sets kraft.version in the metadata log. */
export type KRaftVersionRecord = kRaftVersionRecord.KRaftVersionRecord;
/** The control record that sets kraft.version in the metadata log. */
export const KRaftVersionRecord: DataMessage<KRaftVersionRecord, kRaftVersionRecord.KRaftVersionRecordView> =
  dataMessage('KRaftVersionRecord', [0, 0], kRaftVersionRecord, 'own field');

/** The control record with which a new leader of the controllers begins. */
export type LeaderChangeMessage = leaderChangeMessage.LeaderChangeMessage;
/** The control record with which a new leader of the controllers begins. */
export const LeaderChangeMessage: DataMessage<LeaderChangeMessage, leaderChangeMessage.LeaderChangeMessageView> =
  dataMessage('LeaderChangeMessage', [0, 1], leaderChangeMessage, 'own field');

/** The control record that ends a metadata snapshot. */
export type SnapshotFooterRecord = snapshotFooterRecord.SnapshotFooterRecord;
/** The control record that ends a metadata snapshot. */
export const SnapshotFooterRecord: DataMessage<SnapshotFooterRecord, snapshotFooterRecord.SnapshotFooterRecordView> =
  dataMessage('SnapshotFooterRecord', [0, 0], snapshotFooterRecord, 'own field');

/** The control record that begins a metadata snapshot. */
export type SnapshotHeaderRecord = snapshotHeaderRecord.SnapshotHeaderRecord;
/** The control record that begins a metadata snapshot. */
export const SnapshotHeaderRecord: DataMessage<SnapshotHeaderRecord, snapshotHeaderRecord.SnapshotHeaderRecordView> =
  dataMessage('SnapshotHeaderRecord', [0, 0], snapshotHeaderRecord, 'own field');

/** The control record that names the voters of the metadata log. */
export type VotersRecord = votersRecord.VotersRecord;
/** The control record that names the voters of the metadata log. */
export const VotersRecord: DataMessage<VotersRecord, votersRecord.VotersRecordView> = dataMessage(
  'VotersRecord',
  [0, 0],
  votersRecord,
  'own field',
);
