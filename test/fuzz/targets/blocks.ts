// Gives changed compressed blocks of every codec to the decompressors. Their output stays within the arena's limit.

import { ByteArena } from '../../../src/codec/byte-arena.ts';
import { decompress, GZIP, LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../../src/codec/index.ts';
import { pack, samples } from '../../unit/codec/support.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

const codecs = [GZIP, SNAPPY, LZ4, ZSTD];
const maxBytes = 256 * 1024;

let packed: { readonly codec: number; readonly magic: number; readonly bytes: Uint8Array }[] = [];

export const blocks: FuzzTarget = {
  name: 'blocks',
  share: 60,

  async prepare() {
    await prepareCodecs();
    if (packed.length > 0) return;
    packed = codecs.flatMap((codec) =>
      samples(codec).flatMap((bytes) =>
        (codec === LZ4 ? [0, 1, 2] : [2]).map((magic) => ({ codec, magic, bytes: pack(codec, bytes, magic) })),
      ),
    );
  },

  run(random, input) {
    const { codec, magic, bytes } = random.pick(packed);
    const changed = mutated(bytes, random);
    input.note(`codec ${codec}, magic ${magic}`, changed);
    const arena = new ByteArena();
    arena.reset(maxBytes);
    decompress(random.chance(3) ? random.below(8) : codec, changed, 0, changed.length, arena, magic);
    if (arena.length > maxBytes) throw new BrokenRule(`${arena.length} bytes, limit ${maxBytes}`);
  },
};
