// Every record set that Kafka's own Java classes have written or judged (test/fixtures/golden/records.jsonl.gz): values, batches,
// positions and faults. Where Java accepts strange input, a stricter answer is allowed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { prepareCodecs } from '../../src/codec/index.ts';
import { CorruptRecordError, UnsupportedCodecError } from '../../src/common/errors/errors.ts';
import {
  CONTROL_ABORT,
  CONTROL_COMMIT,
  type RecordBatchView,
} from '../../src/protocol/flat/records/record-batch-view.ts';
import type { RecordsView, RecordView } from '../../src/protocol/flat/records/record-view.ts';
import {
  decode,
  encode,
  type GoldenBatch,
  type GoldenRecord,
  type GoldenSet,
  goldenSets,
} from '../unit/protocol/records/support.ts';

/** Record sets in the fixture, so that none gets lost on the way. Another folder has as many as it has. */
const fixtureCount = 605;

const sets = goldenSets();
const counts = new Map<string, number>();

function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Records that applications see: those of control batches are not among them. */
function delivered(set: GoldenSet): GoldenRecord[] {
  return set.expect.records.filter((record) => !set.expect.batches[record.batch]!.isControl);
}

function assertBytes(actual: Buffer | null, base64: string | null | undefined, sha256: string | undefined): void {
  if (sha256 === undefined) assert.equal(actual?.toString('base64') ?? null, base64);
  else assert.equal(createHash('sha256').update(actual!).digest('hex'), sha256);
}

function assertRecord(actual: RecordView, expected: GoldenRecord): void {
  assert.equal(actual.offset.toString(), expected.offset);
  assert.equal(actual.timestamp.toString(), expected.timestamp);
  assertBytes(actual.key, expected.keyBase64, undefined);
  assertBytes(actual.value, expected.valueBase64, expected.valueSha256);
  const headers = actual.headers.map(({ key, value }) => [key, value?.toString('base64') ?? null]);
  assert.deepEqual(headers, expected.headers);
}

const controlTypes: Record<string, number> = { ABORT: CONTROL_ABORT, COMMIT: CONTROL_COMMIT, LEADER_CHANGE: 2 };

function assertBatch(actual: RecordBatchView, expected: GoldenBatch, set: GoldenSet, index: number): void {
  assert.deepEqual(
    {
      magic: actual.magic,
      sizeInBytes: actual.sizeInBytes,
      codec: actual.compression,
      timestampType: actual.timestampType ?? 'NoTimestampType',
      maxTimestamp: actual.maxTimestamp.toString(),
      producerId: actual.producerId.toString(),
      producerEpoch: actual.producerEpoch,
      baseSequence: actual.baseSequence,
      isTransactional: actual.isTransactional,
      isControl: actual.isControl,
      partitionLeaderEpoch: actual.partitionLeaderEpoch,
      deleteHorizonMs: actual.deleteHorizonMs?.toString() ?? null,
      recordCount: expected.recordCount === null ? null : actual.countOnWire,
      baseOffset: actual.baseOffset.toString(),
    },
    {
      magic: expected.magic,
      sizeInBytes: expected.sizeInBytes,
      codec: expected.codec,
      timestampType: expected.timestampType,
      maxTimestamp: expected.maxTimestamp,
      producerId: expected.producerId,
      producerEpoch: expected.producerEpoch,
      baseSequence: expected.baseSequence,
      isTransactional: expected.isTransactional,
      isControl: expected.isControl,
      partitionLeaderEpoch: expected.partitionLeaderEpoch,
      deleteHorizonMs: expected.deleteHorizonMs,
      recordCount: expected.recordCount,
      baseOffset: expected.baseOffset,
    },
  );
  const records = set.expect.records.filter((record) => record.batch === index);
  const last = records.reduce((most, { offset }) => (BigInt(offset) > most ? BigInt(offset) : most), -1n);
  // Java takes a wrapper's word for where it ends; so would the next fetch, and get its records again.
  const end = expected.magic < 2 && last > BigInt(expected.lastOffset) ? last : BigInt(expected.lastOffset);
  assert.equal(actual.lastOffset.toString(), end.toString());
  const control = records[0]?.control?.type;
  if (control !== undefined && control in controlTypes) assert.equal(actual.controlType, controlTypes[control]);
}

/** Holds everything against what Java found. */
function assertSame(view: RecordsView, set: GoldenSet): void {
  const records = delivered(set);
  assert.equal(view.error, null);
  assert.equal(view.length, records.length);
  records.forEach((record, i) => {
    assertRecord(view.at(i), record);
  });
  assert.equal(view.batches.length, set.expect.batches.length);
  let rows = 0;
  set.expect.batches.forEach((batch, i) => {
    const actual = view.batches.at(i);
    assertBatch(actual, batch, set, i);
    assert.equal(actual.firstRecord, rows);
    rows += actual.recordCount;
  });
  assert.equal(rows, view.length);
  assert.equal(view.tailBytes, set.expect.trailingBytes);
  const last = view.batches.length === 0 ? null : view.batches.at(view.batches.length - 1).lastOffset;
  assert.equal(view.nextOffset.toString(), last === null ? '-1' : last.add(1).toString());
}

/** The error's kind, and that what it leaves standing is what Java read before it, if perhaps fewer batches of it. */
function assertFault(view: RecordsView, set: GoldenSet): void {
  const { error } = view;
  assert.ok(error instanceof CorruptRecordError || error instanceof UnsupportedCodecError, `no error: ${set.name}`);
  assert.equal(
    error instanceof UnsupportedCodecError,
    / unknown-codec$/.test(set.name.replace('/unknown', ' unknown')),
  );
  const records = delivered(set);
  assert.ok(view.length <= records.length, `${view.length} records, Java has ${records.length}`);
  for (let i = 0; i < view.length; i++) assertRecord(view.at(i), records[i]!);
  if (view.batches.length === 0) {
    assert.equal(view.nextOffset.toString(), '-1');
  } else {
    const last = view.batches.at(view.batches.length - 1);
    assert.equal(view.nextOffset.toString(), last.lastOffset.add(1).toString());
    assert.equal(last.firstRecord + last.recordCount, view.length);
  }
}

/**
 * What our own encoder makes of a set's records, if the set is one that it would make: one batch or one plain message
 * set, offsets without gaps, times of the producer. Otherwise null.
 */
function rewritten(set: GoldenSet): Buffer | null {
  const { batches, records, trailingBytes } = set.expect;
  const [batch] = batches;
  if (
    batch === undefined ||
    set.group !== 'valid' ||
    trailingBytes !== 0 ||
    (batch.magic === 2 && batches.length > 1)
  ) {
    return null;
  }
  const isPlain = batches.every(
    ({ magic, codec, timestampType, isControl, deleteHorizonMs }) =>
      magic === batch.magic && codec === 'none' && timestampType !== 'LogAppendTime' && !isControl && !deleteHorizonMs,
  );
  const base = BigInt(batch.baseOffset);
  const isDense = records.length > 0 && records.every(({ offset }, i) => BigInt(offset) === base + BigInt(i));
  if (!isPlain || !isDense || BigInt(batches.at(-1)!.lastOffset) !== BigInt(records.at(-1)!.offset)) return null;
  return encode(
    {
      records: decode(set.bytes).map(({ key, value, headers, timestamp }) => ({ key, value, headers, timestamp })),
      producerId: BigInt(batch.producerId),
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      isTransactional: batch.isTransactional,
      partitionLeaderEpoch: batch.partitionLeaderEpoch,
      baseOffset: base,
    },
    [1, 2, 9][batch.magic]!,
  );
}

describe('golden record sets', () => {
  before(prepareCodecs);
  after(() => {
    for (const [what, number] of [...counts].sort()) console.log(`golden records: ${number} ${what}`);
  });

  it('are all read', () => {
    if (process.env.GOLDEN_DIR === undefined) assert.equal(sets.length, fixtureCount);
    assert.ok(sets.length > 0);
  });

  for (const set of sets) {
    it(`${set.group} ${set.name}`, () => {
      const view = decode(set.bytes);
      if (set.group === 'tolerated') {
        if (view.error === null && set.expect.error === undefined) {
          assertSame(view, set);
          count('tolerated, as Java reads them');
        } else {
          if (view.error !== null) assertFault(view, set);
          count(view.error === null ? 'tolerated, read although Java fails' : 'tolerated by Java, refused here');
        }
      } else if (set.expect.error === undefined) {
        assertSame(view, set);
        count(`${set.group}, read`);
      } else {
        assertFault(view, set);
        count(`${set.group}, refused`);
      }
    });
  }

  it('are written again byte for byte if we write the same form', () => {
    let same = 0;
    for (const set of sets) {
      const bytes = rewritten(set);
      if (bytes === null) continue;
      assert.equal(bytes.toString('hex'), set.bytes.toString('hex'), set.name);
      same++;
    }
    assert.ok(same >= 20, `only ${same} sets compared`);
    counts.set('valid, written again byte for byte', same);
  });
});
