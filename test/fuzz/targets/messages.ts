// Gives changed messages of every kind and version to the generated decoders, and reads all that they let through.

import { HeapMemory } from '../../../src/common/memory.ts';
import { FlatMessage, type FlatView } from '../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../src/protocol/flat/flat-writer.ts';
import { allApis } from '../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../src/protocol/wire/codecs.ts';
import type { DecodeOptions } from '../../../src/protocol/wire/options.ts';
import { WireReader } from '../../../src/protocol/wire/wire-reader.ts';
import { type Passage, passage } from '../../unit/protocol/support/passage.ts';
import { MessageValues, Random } from '../../unit/protocol/support/random.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { mutated } from '../support/mutate.ts';
import { BrokenRule, type FuzzTarget } from '../support/target.ts';

/** As decode-options.ts computes it for a limit on frames that is small enough to be met. */
const maxFlatBytes = 1024 * 1024;
const options: DecodeOptions = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 256 * 1024, maxFlatBytes };

interface Sample {
  readonly table: TableMessage;
  readonly version: number;
  readonly bytes: Buffer;
}

const samples: Sample[] = [];
const passages = new Map<string, Passage>();
const reader = new WireReader();
const writer = new FlatWriter();

export const messages: FuzzTarget = {
  name: 'messages',
  share: 100,

  async prepare() {
    if (samples.length > 0) return;
    const random = new Random(1);
    for (const table of tableMessages.values()) {
      if (table.kind === 'header') continue;
      const through = await passage(table);
      passages.set(table.name, through);
      for (let version = table.min; version <= table.max; version++) {
        for (let i = 0; i < 3; i++) {
          const value = new MessageValues(random, table, version).message();
          samples.push({ table, version, bytes: through.encode(through.write(value), version) });
        }
      }
    }
  },

  run(random, input) {
    const { table, version, bytes } = random.pick(samples);
    // Bytes of one version read as another: what a broker with other ideas would send.
    const readAs = random.chance(5) ? table.min + random.below(table.max - table.min + 1) : version;
    const changed = mutated(bytes, random);
    input.note(`${table.name} version ${readAs}`, changed);
    const view =
      table.kind === 'response' ? decodeResponse(table, changed, readAs) : decodeOther(table, changed, readAs);
    view.toObject();
  },
};

/** As the network thread does it. */
function decodeResponse(table: TableMessage, bytes: Buffer, version: number): FlatView {
  const memory = new HeapMemory();
  reader.reset(bytes);
  writer.reset(memory, 8);
  let refusal: unknown = null;
  try {
    wireCodec(table.apiKey).decodeResponse(reader, writer, version, options);
  } catch (error) {
    refusal = error;
  }
  // A decoder that asks for memory first and looks at its limit later has broken the bound already.
  const taken = memory.u8.length;
  if (taken > 2 * maxFlatBytes) throw new BrokenRule(`${taken} bytes taken, limit ${maxFlatBytes}`);
  if (refusal !== null) throw refusal;
  const byteLength = writer.finish();
  const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }, 8);
  return allApis.find(({ key }) => key === table.apiKey)!.readResponse(message) as FlatView;
}

function decodeOther(table: TableMessage, bytes: Buffer, version: number): FlatView {
  const through = passages.get(table.name)!;
  return through.view(through.decode(bytes, version).flat);
}
