// Owns the checks of the version matrix that concern records: every codec there and back, in the newest format that the
// broker knows, and the offsets they get. Runs in the thread that checks.

import assert from 'node:assert/strict';
import {
  Fetch,
  ListOffsets,
  Produce,
  type RecordBatchInput,
  type RecordInput,
  type RecordsView,
} from '../../../src/index.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { assertSuccess, type Session } from './session.ts';

const time = Date.now();
const formats = ['v0', 'v1', 'v2'] as const;

/** Since which release brokers know a codec; `zstd` also needs Produce 7. */
const codecs = [
  ['none', '0.8.2'],
  ['gzip', '0.8.2'],
  ['snappy', '0.8.2'],
  ['lz4', '0.8.2'],
  ['zstd', '2.1'],
] as const;

interface Sample {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

const samples: readonly Sample[] = [
  { key: Buffer.from('key'), value: Buffer.from('value'), timestamp: time, headers: [['name', Buffer.from('1')]] },
  { key: null, value: Buffer.alloc(0), timestamp: time + 1, headers: [] },
  { key: Buffer.from('tombstone'), value: null, timestamp: time - 5, headers: [['null', null]] },
  ...Array.from({ length: 60 }, (_, i) => ({
    key: Buffer.from(`key ${i % 7}`),
    value: Buffer.alloc(i * 50, `value of record ${i}, `),
    timestamp: time + i * 10,
    headers: [],
  })),
];

/** Every codec: produced, fetched back, compared. Returns the format and the codecs. */
export async function checkRecords(session: Session): Promise<string> {
  const version = session.versionOf(Produce);
  const magic = version >= 3 ? 2 : version >= 2 ? 1 : 0;
  const seen: string[] = [];
  let offset = 0;
  for (const [codec, since] of codecs) {
    if (!session.isSince(since)) continue;
    const records = samples.map((sample) => inputOf(sample, magic));
    assert.equal(await produce(session, { records, compression: codec }), offset, codec);
    await checkFetched(session, offset, magic);
    offset += samples.length;
    seen.push(codec);
  }
  return `${formats[magic]}: ${seen.join(' ')}`;
}

/** First and next offset of the partition. */
export async function checkOffsets(session: Session): Promise<string> {
  const earliest = await listOffset(session, -2);
  const latest = await listOffset(session, -1);
  assert.equal(earliest, 0);
  assert.ok(latest > 0 && latest % samples.length === 0, `latest offset ${latest}`);
  return `${earliest} to ${latest}`;
}

/** What format `magic` has no room for is left out. */
function inputOf({ key, value, timestamp, headers }: Sample, magic: number): RecordInput {
  if (magic === 0) return { key, value };
  if (magic === 1) return { key, value, timestamp };
  return { key, value, timestamp, headers: headers.map(([name, bytes]) => [name, bytes] as [string, Buffer | null]) };
}

async function produce(session: Session, records: RecordBatchInput): Promise<number> {
  const { topic, topicId } = session;
  const topicData = [{ name: topic, topicId, partitionData: [{ index: 0, records }] }];
  const response = await session.send(Produce, { acks: -1, timeoutMs: 10_000, topicData });
  const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
  assertSuccess(errorCode, `Produce with ${records.compression}`);
  return baseOffset.toNumber();
}

/** Committed records from that offset on. */
export async function fetch(session: Session, offset: number): Promise<RecordsView> {
  const { topic, topicId } = session;
  const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }];
  const topics = [{ topic, topicId, partitions }];
  const committed = session.versionOf(Fetch) >= 4 ? { isolationLevel: 1 } : {};
  const response = await session.send(Fetch, { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, topics, ...committed });
  const partition = response.responses.at(0).partitions.at(0);
  assertSuccess(partition.errorCode, 'Fetch');
  return partition.records;
}

export async function listOffset(session: Session, timestamp: number): Promise<number> {
  const topics = [{ name: session.topic, partitions: [{ partitionIndex: 0, timestamp }] }];
  const response = await session.send(ListOffsets, { replicaId: -1, topics });
  const { errorCode, oldStyleOffsets, offset } = response.topics.at(0).partitions.at(0);
  assertSuccess(errorCode, 'ListOffsets');
  return session.versionOf(ListOffsets) === 0 ? oldStyleOffsets.at(0).toNumber() : offset.toNumber();
}

async function checkFetched(session: Session, offset: number, magic: number): Promise<void> {
  const records = await waitFor(`records at ${offset}`, async () => {
    const found = await fetch(session, offset);
    return found.length === samples.length ? found : null;
  });
  for (const [i, sample] of samples.entries()) {
    const record = records.at(i);
    assert.equal(record.offset.toNumber(), offset + i);
    assert.deepEqual(bytesOf(record.key), sample.key);
    assert.deepEqual(bytesOf(record.value), sample.value);
    if (magic > 0) assert.equal(record.timestamp.toNumber(), sample.timestamp);
    if (magic < 2) continue;
    const headers = [...record.headers].map(({ key, value }) => [key, bytesOf(value)]);
    assert.deepEqual(headers, sample.headers);
  }
}

function bytesOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
