// Owns the changes that turn a plausible answer into one that decodes and makes no sense: other values in its fields, entries left out,
// doubled or added. Test thread.

import type { FieldRow } from '../../../src/protocol/schema/index.ts';
import { MessageValues, type Random } from '../../unit/protocol/support/random.ts';
import { isIn, isStructName, type Plain, structFields, type TableMessage } from '../../unit/protocol/support/tables.ts';

/** Names that objects have without being given them, and those that a test uses. */
const names = ['', '__proto__', 'constructor', 'toString', 't', 'g', 'x'.repeat(300)];
/** All that Kafka has, some that it does not have. */
const lowestCode = -1;
const highestCode = 140;

export class Alterations {
  readonly #random: Random;
  readonly #version: number;
  readonly #values: MessageValues;
  readonly #structs: ReadonlyMap<string, readonly FieldRow[]>;
  readonly #fields: readonly FieldRow[];
  /** Of a thousand fields, so many are changed. */
  readonly #rate: number;

  constructor(random: Random, table: TableMessage, version: number, rates: readonly number[] = [0, 0, 20, 60, 200]) {
    this.#random = random;
    this.#version = version;
    this.#values = new MessageValues(random, table, version);
    this.#structs = structFields(table.fields);
    this.#fields = table.fields;
    this.#rate = random.pick(rates);
  }

  of(answer: object): Plain {
    return this.#struct(this.#fields, answer as Plain);
  }

  #struct(fields: readonly FieldRow[], given: Plain): Plain {
    const out: Plain = { ...given };
    for (const row of fields) {
      const [name, type, versions] = row;
      if (!isIn(versions, this.#version)) continue;
      if (this.#isHit()) out[name] = this.#other(row);
      else if (out[name] !== undefined && out[name] !== null) out[name] = this.#inside(type, out[name]);
    }
    return out;
  }

  #inside(type: string, value: unknown): unknown {
    if (type.startsWith('[]')) return this.#list(type.slice(2), value as readonly unknown[]);
    return isStructName(type) ? this.#struct(this.#structs.get(type)!, value as Plain) : value;
  }

  #list(type: string, given: readonly unknown[]): unknown[] {
    const list = given.map((value) => this.#inside(type, value));
    if (!this.#isHit()) return list;
    const at = this.#random.below(list.length + 1);
    const kind = this.#random.below(4);
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1 && at < list.length) list.push(list[at]);
    else if (kind === 2) list.splice(at, 0, this.#values.value(type));
    else list.reverse();
    return list;
  }

  #other([name, type, , , extras]: FieldRow): unknown {
    const random = this.#random;
    if (isIn(extras?.nullable, this.#version) && random.chance(25)) return null;
    if (type === 'int16' && name.toLowerCase().endsWith('errorcode')) return random.integer(lowestCode, highestCode);
    if (type === 'string' && random.chance(50)) return random.pick(names);
    return this.#values.value(type);
  }

  #isHit(): boolean {
    return this.#random.below(1000) < this.#rate;
  }
}
