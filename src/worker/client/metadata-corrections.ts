// Owns the corrections of one metadata response. They are written into its flat message in place, so the other parts
// of a large response are neither read nor written again. Network thread. Must not decide what is out of date:
// leader-epochs.ts does.

import { fieldWords } from '../../protocol/flat/field-words.ts';
import { type FlatMessage, FlatView } from '../../protocol/flat/flat-view.ts';
import type { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { Metadata } from '../../protocol/flat/generated/apis.ts';
import type {
  MetadataResponsePartition,
  MetadataResponsePartitionView,
  MetadataResponseTopicView,
} from '../../protocol/flat/generated/metadata.ts';
import { uuidBytes } from '../../protocol/flat/uuid.ts';

const topicOf = (message: FlatMessage): MetadataResponseTopicView => Metadata.readResponse(message).topics.at(0);
const topicFields = fieldWords(topicOf, ['topicId', 'partitions']);
const { words: partitionWords } = fieldWords(
  (message: FlatMessage) => topicOf(message).partitions.at(0),
  [
    'errorCode',
    'partitionIndex',
    'leaderId',
    'leaderEpoch',
    'replicaNodes',
    'isrNodes',
    'offlineReplicas',
    'unknownTaggedFields',
  ],
);

type Correction = (writer: FlatWriter) => void;

export class MetadataCorrections {
  readonly #corrections: Correction[] = [];

  get isEmpty(): boolean {
    return this.#corrections.length === 0;
  }

  setTopicId(topic: MetadataResponseTopicView, id: string): void {
    const word = FlatView.wordOf(topic);
    this.#corrections.push((writer) => writeTopicId(writer, word, id));
  }

  replacePartition(row: MetadataResponsePartitionView, partition: MetadataResponsePartition): void {
    const word = FlatView.wordOf(row);
    this.#corrections.push((writer) => writePartition(writer, word, partition));
  }

  /** Other partitions, however many the answer has. */
  replaceTopic(topic: MetadataResponseTopicView, id: string, partitions: readonly MetadataResponsePartition[]): void {
    const word = FlatView.wordOf(topic);
    this.#corrections.push((writer) => {
      writeTopicId(writer, word, id);
      const rowWords = topicFields.rowWords.partitions;
      const first = writer.array(word + topicFields.words.partitions, partitions.length, rowWords);
      for (const [i, partition] of partitions.entries()) writePartition(writer, first + i * rowWords, partition);
    });
  }

  /** @param writer stands behind the response that was compared; corrections are appended there */
  apply(writer: FlatWriter): void {
    for (const correct of this.#corrections) correct(writer);
  }
}

function writeTopicId(writer: FlatWriter, word: number, id: string): void {
  const bytes = uuidBytes(id);
  const at = word + topicFields.words.topicId;
  writer.setUuid(at, bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8), bytes.readInt32BE(12));
}

function writePartition(writer: FlatWriter, word: number, partition: MetadataResponsePartition): void {
  const { errorCode, partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas } = partition;
  writer.setInt32(word + partitionWords.errorCode, errorCode ?? 0);
  writer.setInt32(word + partitionWords.partitionIndex, partitionIndex ?? 0);
  writer.setInt32(word + partitionWords.leaderId, leaderId ?? -1);
  writer.setInt32(word + partitionWords.leaderEpoch, leaderEpoch ?? -1);
  writeNodes(writer, word + partitionWords.replicaNodes, replicaNodes ?? []);
  writeNodes(writer, word + partitionWords.isrNodes, isrNodes ?? []);
  writeNodes(writer, word + partitionWords.offlineReplicas, offlineReplicas ?? []);
  writer.setNull(word + partitionWords.unknownTaggedFields);
}

function writeNodes(writer: FlatWriter, word: number, nodes: readonly number[]): void {
  const first = writer.array(word, nodes.length, 1);
  for (const [i, node] of nodes.entries()) writer.setInt32(first + i, node);
}
