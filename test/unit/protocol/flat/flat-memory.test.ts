// FlatWriter, FlatMessage, FlatArray and views over memory that is tiny, moves, has a prefix, or is shared.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import Long from 'long';
import { HeapMemory, type MessageMemory } from '../../../../src/common/memory.ts';
import { FlatMessage, readInt32, readString } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatLimitError, FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';

/** Memory that starts with nothing, moves at every growth to an odd place, and is full of garbage. */
class RestlessMemory implements MessageMemory {
  i32: Int32Array = new Int32Array(4);
  u8: Uint8Array = new Uint8Array(this.i32.buffer);
  base = 8;
  capacity = 8;
  moves = 0;
  readonly hints: number[] = [];

  grow(neededBytes: number, usedBytes: number, hintBytes = 0): void {
    const base = 8 * (1 + (++this.moves % 5));
    const capacity = (neededBytes + 7) & ~7;
    const buffer = new SharedArrayBuffer(base + capacity);
    const u8 = new Uint8Array(buffer).fill(0xa5);
    u8.set(this.u8.subarray(this.base, this.base + usedBytes), base);
    this.u8 = u8;
    this.i32 = new Int32Array(buffer);
    this.base = base;
    this.capacity = capacity;
    this.hints.push(hintBytes);
  }
}

function message(memory: MessageMemory, byteLength: number, skip = 0): FlatMessage {
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }, skip);
}

describe('flat memory', () => {
  it('keeps every value while the memory moves, and leaves a prefix free', () => {
    const memory = new RestlessMemory();
    const w = new FlatWriter().reset(memory, 32);
    const root = w.alloc(24);
    assert.equal(root, 0);
    w.setInt32(0, -5);
    w.setInt64(1, 7, -1);
    w.setFloat64(3, -0.1);
    w.setUuid(5, 1, -2, 3, -4);
    w.string(9, 'short');
    w.string(11, `long ${'é'.repeat(200)}`);
    w.bytes(13, new Uint8Array([9, 8, 7]));
    w.setNull(15);
    const rows = w.array(17, 3, 1);
    for (let i = 0; i < 3; i++) w.setInt32(rows + i, i * 10);
    const texts = w.array(19, 2, 2);
    w.string(texts, 'a');
    w.string(texts + 2, 'ü');
    w.setBool(21, true);
    w.setInt32(22, -1);
    const used = w.finish();
    assert.equal(used % 8, 0);
    assert.equal(used, w.usedBytes);
    assert.ok(memory.capacity >= used);
    assert.ok(memory.moves > 3);
    const m = message(memory, used, 32);
    assert.equal(m.byteLength, used - 32);
    assert.equal(m.int32(0), -5);
    assert.ok(m.int64(1).equals(Long.fromBits(7, -1)));
    assert.equal(m.float64(3), -0.1);
    assert.equal(m.uuid(5), 'AAAAAf____4AAAAD_____A');
    assert.equal(m.string(9), 'short');
    assert.equal(m.string(11), `long ${'é'.repeat(200)}`);
    assert.deepEqual([...m.bytes(13)], [9, 8, 7]);
    assert.equal(m.nullableString(15), null);
    assert.equal(m.nullableBytes(15), null);
    assert.equal(m.nullableArray(15, 1, readInt32), null);
    assert.equal(m.string(15), '');
    assert.equal(m.bytes(15).length, 0);
    assert.equal(m.array(15, 1, readInt32).length, 0);
    assert.deepEqual(m.array(17, 1, readInt32).toArray(), [0, 10, 20]);
    assert.deepEqual([...m.array(19, 2, readString)], ['a', 'ü']);
    assert.equal(m.bool(21), true);
    assert.equal(m.uint32(22), 4294967295);
    assert.equal(m.int32(23), 0, 'allocated words are zero whatever the memory held');
  });

  it('fills large allocations with zeros too', () => {
    const memory = new RestlessMemory();
    const w = new FlatWriter().reset(memory);
    const rows = w.alloc(1000);
    for (let i = 0; i < 1000; i++) assert.equal(w.getInt32(rows + i), 0);
  });

  it('passes the expected size on, so that one move is enough', () => {
    const memory = new RestlessMemory();
    const w = new FlatWriter().reset(memory, 8);
    w.expectedBytes = 5000;
    w.alloc(10);
    assert.equal(memory.hints.at(-1), 5008);
    w.reserve(10_000);
    const moves = memory.moves;
    w.alloc(2400);
    assert.equal(memory.moves, moves);
  });

  it('refuses to grow beyond its limit, before asking for memory', () => {
    const memory = new RestlessMemory();
    const w = new FlatWriter().reset(memory);
    w.limitTo(1000);
    w.alloc(200);
    const moves = memory.moves;
    assert.throws(
      () => w.alloc(51),
      (error) => error instanceof FlatLimitError && error.maxBytes === 1000,
    );
    assert.throws(() => w.alloc(2 ** 40), FlatLimitError);
    assert.throws(() => w.allocBytes(2 ** 40), FlatLimitError);
    assert.equal(memory.moves, moves);
    w.alloc(50);
    w.reset(new HeapMemory());
    w.alloc(1000);
  });

  it('frees the last allocation', () => {
    const w = new FlatWriter().reset(new HeapMemory());
    w.alloc(2);
    const before = w.messageBytes;
    w.allocBytes(100);
    w.truncate(before);
    assert.equal(w.messageBytes, before);
  });
});

describe('flat views', () => {
  function metadata() {
    const memory = new HeapMemory();
    const w = new FlatWriter().reset(memory);
    const partitions = [0, 1, 2].map((partitionIndex) => ({
      errorCode: 0,
      partitionIndex,
      leaderId: partitionIndex,
      replicaNodes: [0, 1],
      isrNodes: [0],
    }));
    Metadata.writeResponse(w, {
      brokers: [
        { nodeId: 1, host: 'one', port: 9092 },
        { nodeId: 2, host: 'two', port: 9093, rack: 'r' },
      ],
      clusterId: null,
      controllerId: 1,
      topics: [{ errorCode: 0, name: 't', isInternal: false, partitions }],
      unknownTaggedFields: [{ tag: 99, data: new Uint8Array([5]) }],
    });
    return Metadata.readResponse(message(memory, w.finish()));
  }

  it('read any existing element directly', () => {
    const { brokers, topics } = metadata();
    assert.equal(brokers.length, 2);
    assert.equal(brokers.at(1).host, 'two');
    for (const index of [-1, 2, 0.5, Number.NaN, 2 ** 40]) assert.throws(() => brokers.at(index), RangeError);
    assert.deepEqual(
      brokers.map((broker, i) => `${i}${broker.host}`),
      ['0one', '1two'],
    );
    assert.deepEqual(
      [...brokers].map((broker) => broker.rack),
      [null, 'r'],
    );
    assert.equal(brokers.find((broker) => broker.nodeId === 2)?.port, 9093);
    assert.equal(
      brokers.find((broker) => broker.nodeId === 3),
      undefined,
    );
    assert.equal(
      brokers.some((broker) => broker.port === 9092),
      true,
    );
    assert.equal(brokers.filter((broker) => broker.nodeId > 1).length, 1);
    const seen: number[] = [];
    topics.at(0).partitions.forEach((partition, i) => {
      seen.push(partition.leaderId * 10 + i);
    });
    assert.deepEqual(seen, [0, 11, 22]);
  });

  it('print and serialize as the plain object they stand for', () => {
    const view = metadata();
    const plain = view.toObject() as { brokers: unknown[]; unknownTaggedFields: unknown[] };
    assert.deepEqual(plain.brokers[0], { nodeId: 1, host: 'one', port: 9092, rack: null });
    assert.deepEqual(plain.unknownTaggedFields, [{ tag: 99, data: Buffer.from([5]) }]);
    assert.match(
      inspect(view),
      /^MetadataResponseView \{ throttleTimeMs: 0,|^MetadataResponseView \{\s+throttleTimeMs: 0,/,
    );
    assert.match(inspect(view.brokers), /^\[/);
    assert.equal(JSON.parse(JSON.stringify(view)).brokers[1].host, 'two');
  });

  it('share their memory with the message', () => {
    const memory = new HeapMemory();
    const w = new FlatWriter().reset(memory);
    w.alloc(2);
    w.bytes(0, new Uint8Array([1, 2, 3]));
    const m = message(memory, w.finish());
    assert.equal(m.bytes(0).buffer, memory.u8.buffer);
  });
});
