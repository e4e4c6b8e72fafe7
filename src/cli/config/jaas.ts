// Owns the reading of `sasl.jaas.config`: one login module with its options. Main thread of the command line. No error may show a
// value: it may be a password.

import { UsageError } from '../exit-codes.ts';

export interface JaasConfig {
  /** The last part of the class name, such as `PlainLoginModule`. */
  readonly module: string;
  readonly options: ReadonlyMap<string, string>;
}

const token = /\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s=;"']+)|([=;]))/y;

/** Throws UsageError naming what was expected. */
export function parseJaas(text: string): JaasConfig {
  const words = tokens(text);
  const [moduleName, flag, ...rest] = words;
  if (moduleName === undefined) throw wrong('it is empty');
  if (!/^(required|requisite|sufficient|optional)$/i.test(flag ?? '')) throw wrong(`'required' must follow the class`);
  const options = new Map<string, string>();
  let i = 0;
  while (i < rest.length && rest[i] !== ';') {
    const [name, equals, value] = rest.slice(i, i + 3);
    if (equals !== '=' || value === undefined || value === ';' || value === '=')
      throw wrong(`option ${i / 3 + 1} must be NAME="VALUE"`);
    options.set(name!, value);
    i += 3;
  }
  if (i === rest.length) throw wrong("it must end with ';'");
  if (i < rest.length - 1) throw wrong("there is something after the ';': only one login module is supported");
  return { module: moduleName.split('.').at(-1)!, options };
}

function tokens(text: string): string[] {
  const found: string[] = [];
  token.lastIndex = 0;
  const end = text.trimEnd().length;
  while (token.lastIndex < end) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw wrong(`character ${at + 1} begins a quoted text that does not end`);
    const [, double, single, plain, sign] = match;
    const quoted = double ?? single;
    found.push(quoted === undefined ? (plain ?? sign)! : quoted.replace(/\\(.)/g, '$1'));
  }
  return found;
}

function wrong(problem: string): UsageError {
  return new UsageError(
    `sasl.jaas.config cannot be read: ${problem}. Expected, for example:\n  org.apache.kafka.common.security.plain.PlainLoginModule required username="..." password="...";`,
  );
}
