// Every record set that Kafka's own Java classes wrote or judged, read here: values, batches, positions, faults.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { HeapMemory } from '../../src/common/memory.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import type { RecordBatchView } from '../../src/protocol/flat/record-batch-view.ts';
import { RecordsView, type RecordView } from '../../src/protocol/flat/record-view.ts';
import { RECORDS_WORDS } from '../../src/protocol/flat/records-slot.ts';
import { decodeRecords } from '../../src/protocol/wire/records.ts';
import { WireReader } from '../../src/protocol/wire/wire-reader.ts';
import { fixture } from '../helpers/fixtures.ts';

interface GoldenBatch {
  baseOffset: string;
  lastOffset: string;
  magic: number;
  sizeInBytes: number;
  codec: string;
  timestampType: string;
  maxTimestamp: string;
  producerId: string;
  producerEpoch: number;
  baseSequence: number;
  isTransactional: boolean;
  isControl: boolean;
  partitionLeaderEpoch: number;
  deleteHorizonMs: string | null;
  recordCount: number | null;
}

interface GoldenRecord {
  batch: number;
  offset: string;
  timestamp: string;
  keyBase64?: string | null;
  keyLength?: number;
  keySha256?: string;
  valueBase64?: string | null;
  valueLength?: number;
  valueSha256?: string;
  headers: [string, string | null][];
}
