// Overwrites words of flat requests, as a thread gone wild would, and encodes them as the network thread does: offsets, lengths and counts
// that point anywhere. The encoder refuses them, or writes no more than the message can hold.

import { FlatMessage } from '../../../src/protocol/flat/flat-view.ts';
import { type Passage, passage } from '../../unit/protocol/support/passage.ts';
import { MessageValues, Random } from '../../unit/protocol/support/random.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

interface Sample {
  readonly table: TableMessage;
  readonly version: number;
  readonly through: Passage;
  readonly flat: FlatMessage;
}

const samples: Sample[] = [];
const wild = [-2147483648, -65536, -8, -2, -1, 0, 1, 2, 3, 4, 8, 64, 1000, 65536, 1 << 24, 1 << 29, 2147483647];
/** No field takes more on the wire than this for each byte that it has in memory: a null is two words there. */
const maxGrowth = 4;
const fixedBytes = 1024;

export const flat: FuzzTarget = {
  name: 'flat',
  share: 100,

  async prepare() {
    if (samples.length > 0) return;
    const random = new Random(1);
    for (const table of tableMessages.values()) {
      if (table.kind !== 'request') continue;
      const through = await passage(table);
      for (let version = table.min; version <= table.max; version++) {
        for (let i = 0; i < 3; i++) {
          const value = new MessageValues(random, table, version).message();
          samples.push({ table, version, through, flat: through.write(value) });
        }
      }
    }
  },

  run(random, input) {
    const { table, version, through, flat: valid } = random.pick(samples);
    // At the end of its memory, as the last frame of a ring: what is read beyond it is undefined.
    const bytes = new Uint8Array(valid.byteLength);
    bytes.set(valid.u8.subarray(valid.byteBase, valid.byteBase + valid.byteLength));
    const words = new Int32Array(bytes.buffer);
    for (let i = random.below(6); i >= 0; i--) {
      words[random.below(words.length)] = random.chance(80) ? random.pick(wild) : random.uint32() | 0;
    }
    input.note(`${table.name} version ${version}`, bytes);
    const message = new FlatMessage({ i32: words, u8: bytes, base: 0, byteLength: bytes.length });
    const { length } = through.encode(message, version);
    if (length > bytes.length * maxGrowth + fixedBytes)
      throw new BrokenRule(`${length} bytes were made of a flat message of ${bytes.length}`);
  },
};
