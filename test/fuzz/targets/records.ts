// Gives changed record sets of all three formats and all codecs to the records decoder, with the checksum made right again
// half of the time, and reads every record that it lets through.

import { crc32c } from '../../../src/codec/crc32c.ts';
import { prepareCodecs } from '../../../src/codec/index.ts';
import type { DecodeOptions } from '../../../src/protocol/wire/options.ts';
import { decode, goldenSets } from '../../unit/protocol/records/support.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const maxDecompressedBytes = 256 * 1024;
/** Where magic stands in all formats, and the checksum of format 2. */
const magicAt = 16;
const crcAt = 17;
const crcFrom = 21;
const maxSampleBytes = 64 * 1024;

let sets: readonly Buffer[] = [];

export const records: FuzzTarget = {
  name: 'records',
  share: 60,

  async prepare() {
    await prepareCodecs();
    sets = goldenSets()
      .map(({ bytes }) => bytes)
      .filter(({ length }) => length > 0 && length <= maxSampleBytes);
  },

  run(random, input) {
    const bytes = sealed(mutated(random.pick(sets), random), random);
    input.note('record set', bytes);
    const options: Partial<DecodeOptions> = {
      maxDecompressedBytes,
      verifyCrc: random.chance(80),
      records: random.chance(90) ? 'rows' : 'raw',
    };
    const view = decode(bytes, options);
    if (options.records === 'raw') return;
    let [count, keptBytes] = [0, 0];
    for (const record of view) {
      count++;
      keptBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      for (const { key, value } of record.headers) keptBytes += key.length + (value?.length ?? 0);
    }
    if (count !== view.length) throw new BrokenRule(`${count} records read of ${view.length}`);
    // Slices may overlap in hostile bytes only if each lies within what was received or decompressed.
    const limit = (bytes.length + maxDecompressedBytes) * Math.max(1, count);
    if (keptBytes > limit) throw new BrokenRule(`${keptBytes} bytes of records, limit ${limit}`);
    if (view.error !== null) throw view.error;
  },
};

function sealed(bytes: Buffer, random: Random): Buffer {
  if (bytes.length < 61 || bytes[magicAt] !== 2 || random.chance(50)) return bytes;
  const end = Math.min(bytes.length, Math.max(crcFrom, 12 + Math.max(0, bytes.readInt32BE(8))));
  bytes.writeUInt32BE(crc32c(bytes, crcFrom, end), crcAt);
  return bytes;
}
