// Owns the choice of format for records to be produced. Runs in the network thread and the codec pool. Must not guess:
// the API and its version say what the broker on the other end reads.

import type { FlatMessage } from '../../flat/flat-view.ts';
import { CODEC_WORD } from '../../flat/records/records-slot.ts';
import type { WireWriter } from '../wire-writer.ts';
import { encodeMessageSet } from './message-set-encoder.ts';
import { encodeBatch } from './record-encoder.ts';

const produceKey = 0;
const fetchKey = 1;
const zstdCodec = 4;
const zstdProduceVersion = 7;

/** Newest record format that an API's version carries: Produce since 3 and Fetch since 4 batches v2, both since 2 v1. */
export function recordMagic(apiKey: number, version: number): 0 | 1 | 2 {
  if ((apiKey !== produceKey && apiKey !== fetchKey) || version >= (apiKey === produceKey ? 3 : 4)) return 2;
  return version < 2 ? 0 : 1;
}

/** Writes the stream that the slot describes, in the format that goes with the writer's message. */
export function encodeStream(m: FlatMessage, slotWord: number, w: WireWriter): void {
  const codec = m.int32(slotWord + CODEC_WORD);
  if (codec === zstdCodec && w.apiKey === produceKey && w.version < zstdProduceVersion) {
    throw w.fail(`zstd needs version ${zstdProduceVersion} or newer`);
  }
  const magic = recordMagic(w.apiKey, w.version);
  if (magic === 2) encodeBatch(m, slotWord, w);
  else encodeMessageSet(m, slotWord, w, magic);
}
