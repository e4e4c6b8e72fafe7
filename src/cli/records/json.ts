// Owns the reading of JSON with integers of 64 bits, and with the place of an error. Main thread.
// Source: RFC 8259

import { InputError } from '../exit-codes.ts';

const maxDepth = 200;

/**
 * Integers that do not fit exactly into a number become bigint. @param name of the input, for errors
 * @param firstLine number of the text's first line in the input
 * Throws: InputError with line and column
 */
export function parseJson(text: string, name: string, firstLine = 1): unknown {
  const parser = new Parser(text, name, firstLine);
  return parser.parse();
}

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON does not allow them within a string
const plainText = /[^"\\\u0000-\u001f]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const words: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Parser {
  readonly #text: string;
  readonly #name: string;
  readonly #firstLine: number;
  #at = 0;

  constructor(text: string, name: string, firstLine: number) {
    this.#text = text;
    this.#name = name;
    this.#firstLine = firstLine;
  }

  parse(): unknown {
    this.#skip(space);
    const value = this.#value(0);
    this.#skip(space);
    if (this.#at < this.#text.length) throw this.#error('something follows the value');
    return value;
  }

  #value(depth: number): unknown {
    if (depth > maxDepth) throw this.#error(`nested deeper than ${maxDepth}`);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #object(depth: number): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    this.#at++;
    this.#skip(space);
    if (this.#take('}')) return found;
    for (;;) {
      this.#skip(space);
      if (this.#text[this.#at] !== '"') throw this.#error('expected a field name in double quotes');
      const key = this.#string();
      this.#skip(space);
      if (!this.#take(':')) throw this.#error("expected ':' behind the field name");
      this.#skip(space);
      // Not by assignment: the name may be __proto__.
      const value = this.#value(depth + 1);
      Object.defineProperty(found, key, { value, enumerable: true, writable: true, configurable: true });
      this.#skip(space);
      if (this.#take('}')) return found;
      if (!this.#take(',')) throw this.#error("expected ',' or '}'");
    }
  }

  #array(depth: number): unknown[] {
    const found: unknown[] = [];
    this.#at++;
    this.#skip(space);
    if (this.#take(']')) return found;
    for (;;) {
      this.#skip(space);
      found.push(this.#value(depth + 1));
      this.#skip(space);
      if (this.#take(']')) return found;
      if (!this.#take(',')) throw this.#error("expected ',' or ']'");
    }
  }

  #string(): string {
    let value = '';
    this.#at++;
    for (;;) {
      value += this.#match(plainText)![0];
      const sign = this.#text[this.#at];
      if (sign === undefined) throw this.#error('the text in quotes does not end');
      if (sign === '"') break;
      if (sign !== '\\') throw this.#error('a control character must be written as an escape, such as \\n');
      value += this.#escape();
    }
    this.#at++;
    return value;
  }

  #escape(): string {
    const kind = this.#text[this.#at + 1] ?? '';
    if (kind === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('\\u must be followed by four hexadecimal digits');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(escapes, kind) ? escapes[kind] : undefined;
    if (character === undefined) throw this.#error('no such escape');
    this.#at += 2;
    return character;
  }

  #number(): number | bigint {
    const match = this.#match(number);
    if (match === null)
      throw this.#error(this.#at >= this.#text.length ? 'the text ends too early' : 'expected a value');
    const value = Number(match[0]);
    const isInteger = match[1] === undefined && match[2] === undefined;
    return isInteger && !Number.isSafeInteger(value) ? BigInt(match[0]) : value;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #skip(pattern: RegExp): void {
    this.#match(pattern);
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #error(problem: string): InputError {
    const before = this.#text.slice(0, this.#at).split('\n');
    const line = this.#firstLine + before.length - 1;
    const column = [...before.at(-1)!].length + 1;
    return new InputError(`${this.#name}, line ${line}, column ${column}: ${problem}`);
  }
}
