// Owns the proof that every line came back exactly once, in order, byte for byte: counts and rolling hashes of each partition, once of the
// acknowledged records and once of the fetched records. Main thread.

import { type Chunk, keyBytes } from './chunk.ts';

/** 64 bits in two halves. They depend on every byte, every length and their order. */
export class RollingHash {
  #a = 0x811c9dc5 | 0;
  #b = 0x9e3779b9 | 0;

  int32(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul(this.#b + value, 0x85ebca6b);
    this.#b ^= this.#b >>> 13;
  }

  bytes(u8: Uint8Array, start: number, end: number): void {
    this.int32(end - start);
    let a = this.#a;
    let b = this.#b;
    for (let i = start; i < end; i++) {
      const byte = u8[i]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = (Math.imul(b, 31) + byte) | 0;
    }
    this.#a = a;
    this.#b = b;
  }

  get digest(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0');
  }
}

/** Records of one partition, in the order of their offsets. */
export class Tally {
  records = 0;
  /** The bytes of keys and values. */
  payloadBytes = 0;
  readonly hash = new RollingHash();

  /** Adds all lines of a chunk. Their offsets begin at `baseOffset`. */
  addChunk(chunk: Chunk, baseOffset: number): void {
    const { hash } = this;
    for (let i = 0; i < chunk.count; i++) {
      hash.int32((baseOffset + i) | 0);
      chunk.writeKey(i, key);
      hash.bytes(key, 0, keyBytes);
      hash.bytes(chunk.bytes, chunk.starts[i]!, chunk.ends[i]!);
    }
    this.records += chunk.count;
    this.payloadBytes += chunk.payloadBytes;
  }

  /** Adds one record. Its key and value are in `u8`. */
  addRecord(offset: number, u8: Uint8Array, keyAt: number, keyLength: number, valueAt: number, length: number): void {
    const { hash } = this;
    hash.int32(offset | 0);
    hash.bytes(u8, keyAt, keyAt + keyLength);
    hash.bytes(u8, valueAt, valueAt + length);
    this.records++;
    this.payloadBytes += keyLength + length;
  }
}

const key = new Uint8Array(keyBytes);

export interface PartitionLedger {
  readonly partition: number;
  readonly produced: Tally;
  readonly fetched: Tally;
}

export function createLedgers(partitions: number): PartitionLedger[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    produced: new Tally(),
    fetched: new Tally(),
  }));
}

/** Texts that say what is wrong with a partition. Empty when every record came back. */
export function differences({ partition, produced, fetched }: PartitionLedger): string[] {
  const problems: string[] = [];
  const where = `partition ${partition}`;
  if (fetched.records !== produced.records)
    problems.push(`${where}: ${produced.records} records produced, ${fetched.records} fetched`);
  if (fetched.payloadBytes !== produced.payloadBytes)
    problems.push(`${where}: ${produced.payloadBytes} bytes produced, ${fetched.payloadBytes} fetched`);
  if (fetched.hash.digest !== produced.hash.digest)
    problems.push(`${where}: hash ${produced.hash.digest} produced, ${fetched.hash.digest} fetched`);
  return problems;
}
