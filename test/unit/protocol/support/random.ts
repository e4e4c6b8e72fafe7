// Seeded random values for any message of the tables. Same seed, same values, on every machine.

import Long from 'long';
import type { FieldRow } from '../../../../src/protocol/schema/index.ts';
import { isIn, isStructName, type Plain, structFields, type TableMessage } from './tables.ts';

/** The environment's SEED, or one of the clock; tests print it. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

/** A small generator of 32-bit numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(start: number) {
    this.#state = start | 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.uint32() % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  integer(min: number, max: number): number {
    if (this.chance(30)) return this.pick([min, max, Math.max(min, Math.min(max, 0))]);
    return min + Math.floor((this.uint32() / 2 ** 32) * (max - min + 1));
  }
}

const texts = [
  '',
  'a',
  'topic-1',
  'x'.repeat(24),
  'y'.repeat(25),
  'ünïcödé',
  '日本語',
  '🚀🚀',
  '\u0000',
  'z'.repeat(300),
];

/** `value` for writers, `seen` for views (int64 as Long, bytes as Buffer). */
export class MessageValues {
  readonly #random: Random;
  readonly #structs: ReadonlyMap<string, readonly FieldRow[]>;
  readonly #table: TableMessage;
  readonly #version: number;

  constructor(random: Random, table: TableMessage, version: number) {
    this.#random = random;
    this.#table = table;
    this.#version = version;
    this.#structs = structFields(table.fields);
  }

  message(): Plain {
    return this.struct(this.#table.fields);
  }

  /** Every field the version has, most optional ones too. */
  struct(fields: readonly FieldRow[], depth = 0): Plain {
    const value: Plain = {};
    for (const [name, type, versions, , extras] of fields) {
      if (!isIn(versions, this.#version)) continue;
      if (extras?.tag !== undefined && this.#random.chance(40)) continue;
      const isNull = isIn(extras?.nullable, this.#version) && this.#random.chance(25);
      value[name] = isNull ? null : this.value(type, depth);
    }
    if (this.#version >= this.#table.flexible && this.#random.chance(15)) {
      const tags = [...new Set([40, 41 + this.#random.below(100), 2147483646])].sort((a, b) => a - b);
      value.unknownTaggedFields = tags.map((tag) => ({ tag, data: this.#bytes() }));
    }
    return value;
  }

  value(type: string, depth = 0): unknown {
    const random = this.#random;
    if (type.startsWith('[]')) {
      const length = depth > 2 ? random.below(2) : random.pick([0, 1, 2, 3, random.below(9)]);
      return Array.from({ length }, () => this.value(type.slice(2), depth + 1));
    }
    if (isStructName(type)) return this.struct(this.#structs.get(type)!, depth + 1);
    switch (type) {
      case 'bool':
        return random.chance(50);
      case 'int8':
        return random.integer(-128, 127);
      case 'int16':
        return random.integer(-32768, 32767);
      case 'uint16':
        return random.integer(0, 65535);
      case 'int32':
        return random.integer(-2147483648, 2147483647);
      case 'uint32':
        return random.integer(0, 4294967295);
      case 'int64':
        return random.chance(20)
          ? random.pick([Long.MIN_VALUE, Long.MAX_VALUE, Long.NEG_ONE, Long.ZERO])
          : new Long(random.uint32(), random.uint32());
      case 'float64':
        return random.pick([0, -0, 1.5, -1e300, 5e-324, Number.POSITIVE_INFINITY]);
      case 'uuid':
        return Buffer.from(Array.from({ length: 16 }, () => random.below(256))).toString('base64url');
      case 'string':
        return random.pick(texts);
      case 'bytes':
      case 'records':
        return this.#bytes();
      default:
        throw new Error(`type ${type}`);
    }
  }

  #bytes(): Buffer {
    const length = this.#random.pick([0, 1, 24, 25, 200]);
    return Buffer.from(Array.from({ length }, () => this.#random.below(256)));
  }
}
