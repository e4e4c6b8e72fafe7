// Measures the encoding of large Produce requests into memory that is used again, against new memory for each request: the CPU time of
// the whole process, with garbage collection. worker/client/request-memory.ts cites this benchmark.

import { performance } from 'node:perf_hooks';
import { HeapMemory } from '../../src/common/memory.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { Produce } from '../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../src/protocol/wire/codecs.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';
import { RequestMemory } from '../../src/worker/client/request-memory.ts';
import { encodeFrame } from '../../src/worker/requests/encode.ts';
import { type BenchRow, median } from '../support/rows.ts';

const rounds = 7;
const requestsPerRound = 200;
/** How many requests the socket still holds. */
const maxUnwritten = 4;
const header = { apiKey: Produce.key, version: 12, correlationId: 1, clientId: 'bench' };
const sizes = [64, 256, 1024].map((kibibytes) => kibibytes * 1024);

export function run(): readonly BenchRow[] {
  wireCodec(Produce.key);
  return sizes.map(measure);
}

function measure(bytes: number): BenchRow {
  const message = produceRequest(bytes);
  const reused: number[] = [];
  const fresh: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    const [ours, theirs] = [encodeAll(message, new RequestMemory()), encodeAll(message, null)];
    // The first round compiles.
    if (round === 0) continue;
    reused.push(ours);
    fresh.push(theirs);
  }
  return {
    name: 'encode a Produce request',
    unit: 'us',
    ours: median(reused),
    comparison: 'new memory for each request',
    theirs: median(fresh),
    ratio: median(reused.map((value, i) => value / fresh[i]!)),
    parameters: { requestBytes: bytes, requests: requestsPerRound, maxUnwritten, rounds },
  };
}

/** Microseconds of CPU time per request. */
function encodeAll(message: FlatMessage, memory: RequestMemory | null): number {
  const writer = new WireWriter();
  const socket = { sent: 0, isWritten: ({ position }: { position: number }) => position <= socket.sent - maxUnwritten };
  const held: Uint8Array[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < requestsPerRound; i++) {
    const lent = memory?.take(message.byteLength);
    const frame = encodeFrame(writer, header, message, {}, lent);
    socket.sent++;
    if (lent !== undefined) memory!.lend(lent, socket, { position: socket.sent });
    held.push(frame);
    if (held.length > maxUnwritten) held.shift();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requestsPerRound;
}

function produceRequest(bytes: number): FlatMessage {
  const value = Buffer.alloc(1000, 'x');
  const records = Array.from({ length: Math.floor(bytes / value.length) }, (_, i) => ({
    key: `key-${i}`,
    value,
    timestamp: Math.floor(performance.timeOrigin),
  }));
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const partitionData = [{ index: 0, records: { records } }];
  Produce.writeRequest(writer, { acks: -1, timeoutMs: 30_000, topicData: [{ name: 'topic', partitionData }] });
  const byteLength = writer.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
}
