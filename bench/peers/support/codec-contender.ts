// Owns the measurement of codecs: decoding of fetched records, iteration over them, encoding of Produce requests, by this client and each
// peer, in turns in one process. Prints its rows as JSON. It is a process of its own, on a Node version that the peers support.
//   node codec-contender.js FOLDER_WITH_NODE_MODULES

import assert from 'node:assert/strict';
import { crc32cImplementation } from '../../../src/codec/crc32c.ts';
import { HeapMemory } from '../../../src/common/memory.ts';
import { buildBatch } from '../../../src/testing/batch-builder.ts';
import type { BenchRow } from '../../support/rows.ts';
import { timeInTurns, type Work } from './in-turns.ts';
import { decodeFetch, decodeProduce, encodeProduce, fetchBody, recordsOf, writeProduce } from './ours.ts';
import { fetchVersion, loadKafkajs, loadPlatformatic, type PlainRecord, produceVersion } from './peers.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 40);
const bodyBytes = 2 ** 20;
const batchBytes = 2 ** 16;
const keyBytes = 8;
const folder = process.argv[2]!;
const kafkajs = loadKafkajs(folder);
const platformatic = await loadPlatformatic(folder);
const versions = { node: process.version, kafkajs: kafkajs.version, '@platformatic/kafka': platformatic.version };

/** Keeps results alive, so that no loop is optimized away. */
let sink = 0;

function records(valueBytes: number, count: number, from = 0): PlainRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(String(from + i).padStart(keyBytes, '0')),
    value: Buffer.alloc(valueBytes, 97 + ((from + i) % 26)),
    timestamp: 1_700_000_000_000 + ((from + i) >> 2),
  }));
}

function fetched(valueBytes: number): { body: Buffer; count: number } {
  const perBatch = Math.floor(batchBytes / (valueBytes + 20));
  const batches: Buffer[] = [];
  let count = 0;
  for (let bytes = 0; bytes < bodyBytes; count += perBatch) {
    const batch = buildBatch({ baseOffset: count, records: records(valueBytes, perBatch, count) });
    batches.push(batch);
    bytes += batch.length;
  }
  return { body: fetchBody(Buffer.concat(batches)), count };
}

/** The ns per record of each way, compared with the first one. */
async function compare(
  names: readonly [ours: string, ...theirs: string[]],
  work: Readonly<Record<string, Work>>,
  count: number,
  parameters: BenchRow['parameters'],
  title: string,
): Promise<BenchRow[]> {
  const times = await timeInTurns(work, rounds);
  const perRecord = (ns: number): number => Number((ns / count).toFixed(1));
  const [ours, ...theirs] = names;
  const mine = times[ours]!;
  return theirs.map((name) => ({
    name: title,
    unit: 'ns/record',
    ours: perRecord(mine.median),
    comparison: name,
    theirs: perRecord(times[name]!.median),
    ratio: Number((mine.median / times[name]!.median).toFixed(3)),
    parameters: {
      ...parameters,
      count,
      rounds,
      best: { ours: perRecord(mine.best), theirs: perRecord(times[name]!.best) },
      versions,
    },
  }));
}

async function decoding(valueBytes: number): Promise<BenchRow[]> {
  const { body, count } = fetched(valueBytes);
  const decoded = decodeFetch(body);
  const byKafkajs = (await kafkajs.decodeFetch(body)).responses[0]!.partitions[0]!.messages;
  const byPlatformatic = platformatic.decodeFetch(body).responses[0]!.partitions[0]!.records;
  checkDecoded(
    decoded,
    byKafkajs.length,
    byPlatformatic.reduce((sum, batch) => sum + batch.records.length, 0),
    count,
  );
  const parameters = { api: 'Fetch', version: fetchVersion, valueBytes, keyBytes, bodyBytes: body.length, batchBytes };
  const checks = { crc32c: `${crc32cImplementation()}, which neither peer verifies` };
  const decode = await compare(
    ['this client, to flat', 'kafkajs', '@platformatic/kafka'],
    {
      'this client, to flat': () => {
        sink += decodeFetch(body).byteLength;
      },
      kafkajs: async () => {
        sink += (await kafkajs.decodeFetch(body)).responses.length;
      },
      '@platformatic/kafka': () => {
        sink += platformatic.decodeFetch(body).responses.length;
      },
    },
    count,
    { ...parameters, ...checks },
    `decode of fetched records, ${valueBytes} B`,
  );
  const goal = '60 ns/record at most; the peers have made their objects before';
  const theirReading = {
    kafkajs: () => {
      for (const { offset, key, value } of byKafkajs) sink += Number(offset) + key!.length + value!.length;
    },
    '@platformatic/kafka': () => {
      for (const { firstOffset, records: inBatch } of byPlatformatic) {
        const first = Number(firstOffset);
        for (const { offsetDelta, key, value } of inBatch) sink += first + offsetDelta + key!.length + value!.length;
      }
    },
  };
  const reading: Readonly<Record<string, () => void>> = {
    'value as its place in the bytes, one of them read': () => {
      const cursor = recordsOf(decoded).cursor();
      const { bytes } = cursor;
      while (cursor.next()) {
        sink += cursor.offsetLow + cursor.keyLength + bytes[cursor.valueOffset + cursor.valueLength - 1]!;
      }
    },
    'value as a Buffer': () => {
      for (const cursor = recordsOf(decoded).cursor(); cursor.next(); ) {
        sink += cursor.offset + cursor.keyLength + cursor.value!.length;
      }
    },
    'value as a Buffer, a record view each': () => {
      for (const record of recordsOf(decoded)) sink += record.offset.low + record.key!.length + record.value!.length;
    },
  };
  const iterate: BenchRow[] = [];
  for (const [how, read] of Object.entries(reading)) {
    iterate.push(
      ...(await compare(
        ['this client', 'kafkajs', '@platformatic/kafka'],
        { 'this client': read, ...theirReading },
        count,
        { ...parameters, goal },
        `application thread: offset, key length, ${how}, ${valueBytes} B`,
      )),
    );
  }
  const both = await compare(
    ['this client', 'kafkajs', '@platformatic/kafka'],
    {
      'this client': () => {
        for (const cursor = recordsOf(decodeFetch(body)).cursor(); cursor.next(); ) {
          sink += cursor.offset + cursor.keyLength + cursor.value!.length;
        }
      },
      kafkajs: async () => {
        const { messages } = (await kafkajs.decodeFetch(body)).responses[0]!.partitions[0]!;
        for (const { offset, key, value } of messages) sink += Number(offset) + key!.length + value!.length;
      },
      '@platformatic/kafka': () => {
        for (const { firstOffset, records: inBatch } of platformatic.decodeFetch(body).responses[0]!.partitions[0]!
          .records) {
          const first = Number(firstOffset);
          for (const { offsetDelta, key, value } of inBatch) sink += first + offsetDelta + key!.length + value!.length;
        }
      },
    },
    count,
    parameters,
    `decode and read of fetched records, both threads' work together, ${valueBytes} B`,
  );
  return [...decode, ...iterate, ...both];
}

function checkDecoded(decoded: ReturnType<typeof decodeFetch>, ...counts: readonly number[]): void {
  for (const count of counts) assert.equal(recordsOf(decoded).length, count);
}

async function encoding(valueBytes: number): Promise<BenchRow[]> {
  const count = Math.floor(batchBytes / (valueBytes + 20)) * 8;
  const list = records(valueBytes, count);
  const messages = { kafkajs: kafkajs.messages(list), platformatic: platformatic.messages(list) };
  const memory = new HeapMemory(4 * count * (valueBytes + 40));
  const bodies = [
    encodeProduce(writeProduce(list, memory)),
    await kafkajs.encodeProduce(messages.kafkajs),
    platformatic.encodeProduce(messages.platformatic),
  ];
  for (const body of bodies) checkProduced(body, list);
  const parameters = { api: 'Produce', version: produceVersion, valueBytes, keyBytes, bodyBytes: bodies[0]!.length };
  const theirs = {
    kafkajs: async () => {
      sink += (await kafkajs.encodeProduce(messages.kafkajs)).length;
    },
    '@platformatic/kafka': () => {
      sink += platformatic.encodeProduce(messages.platformatic).length;
    },
  };
  const append = (): ReturnType<typeof writeProduce> =>
    writeProduce((writer) => {
      for (const { key, value, timestamp } of list) writer.append(key, value, timestamp);
    }, memory);
  const names = ['kafkajs', '@platformatic/kafka'] as const;
  const forms: readonly (readonly [string, () => ReturnType<typeof writeProduce>])[] = [
    ['from a list of objects', () => writeProduce(list, memory)],
    ['appended by callback', append],
  ];
  const rows: BenchRow[] = [];
  for (const [form, write] of forms) {
    const whole = (): void => {
      sink += encodeProduce(write()).length;
    };
    const mine = (): void => {
      sink += write().byteLength;
    };
    const title = `encode of Produce, ${form}, ${valueBytes} B`;
    rows.push(
      ...(await compare(['this client', ...names], { 'this client': whole, ...theirs }, count, parameters, title)),
      ...(await compare(
        ['application thread alone', ...names],
        { 'application thread alone': mine, ...theirs },
        count,
        parameters,
        `${title}: this client's application thread alone`,
      )),
    );
  }
  return rows;
}

/** Checks that all three have written the same records. */
function checkProduced(body: Buffer, list: readonly PlainRecord[]): void {
  const view = decodeProduce(body);
  assert.equal(view.error, null);
  assert.equal(view.length, list.length);
  for (const [i, record] of list.entries()) {
    const { key, value, timestamp } = view.at(i);
    assert.ok(record.key.equals(key!) && record.value.equals(value!) && timestamp.toNumber() === record.timestamp);
  }
}

const rows: BenchRow[] = [];
for (const valueBytes of [100, 1024]) rows.push(...(await decoding(valueBytes)), ...(await encoding(valueBytes)));
assert.ok(!Number.isNaN(sink));
process.stdout.write(JSON.stringify(rows));
