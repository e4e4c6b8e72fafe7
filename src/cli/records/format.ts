// Owns format strings for records, as kcat has them: `%k`, `%s` and so on, made to functions once. Main thread.

import type { RecordView } from '../../index.ts';
import { UsageError } from '../exit-codes.ts';
import type { Output } from '../io/output.ts';

/** A record with its place. */
export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly record: RecordView;
}

export type Writer = (out: Output, placed: Placed) => void;

export const formatHelp = `  %s  value            %S  length of the value, -1 for none   %t  topic
  %k  key              %K  length of the key, -1 for none     %p  partition
  %o  offset           %T  timestamp in ms                    %h  headers: name=value,name=value
  %R  length of the value as 4 bytes, big-endian              %%  a percent sign
  \\n \\r \\t \\e \\\\ \\xNN  characters`;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', e: '\u001b', '0': '\0', '\\': '\\' };

const parts: Readonly<Record<string, Writer>> = {
  s: (out, { record }) => putBytes(out, record.value),
  k: (out, { record }) => putBytes(out, record.key),
  S: (out, { record }) => out.text(String(record.value?.length ?? -1)),
  K: (out, { record }) => out.text(String(record.key?.length ?? -1)),
  R: (out, { record }) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(record.value?.length ?? -1);
    out.bytes(length);
  },
  t: (out, { topic }) => out.text(topic),
  p: (out, { partition }) => out.text(String(partition)),
  o: (out, { record }) => out.text(String(record.offset)),
  T: (out, { record }) => out.text(String(record.timestamp)),
  h: (out, { record }) => {
    record.headers.forEach(({ key, value }, i) => {
      out.text(`${i === 0 ? '' : ','}${key}=`);
      // As kcat shows a header without a value.
      if (value === null) out.text('NULL');
      else out.bytes(value);
    });
  },
};

function putBytes(out: Output, bytes: Uint8Array | null): void {
  if (bytes !== null) out.bytes(bytes);
}

/** Throws UsageError, which names the unknown part. */
export function parseFormat(format: string): Writer {
  const writers: Writer[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal === '') return;
    const text = literal;
    writers.push((out) => out.text(text));
    literal = '';
  };
  for (let i = 0; i < format.length; i++) {
    const sign = format[i]!;
    const next = format[i + 1] ?? '';
    if (sign === '\\') {
      const [text, length] = escaped(format, i);
      literal += text;
      i += length - 1;
    } else if (sign !== '%') literal += sign;
    else {
      i++;
      if (next === '%') literal += '%';
      else if (Object.hasOwn(parts, next)) {
        flush();
        writers.push(parts[next]!);
      } else throw new UsageError(`--format: there is no %${next}; known are\n${formatHelp}`);
    }
  }
  flush();
  return (out, placed) => {
    for (const write of writers) write(out, placed);
  };
}

function escaped(format: string, at: number): [text: string, length: number] {
  const hex = /^\\x([0-9a-fA-F]{2})/.exec(format.slice(at, at + 4));
  if (hex !== null) return [String.fromCharCode(Number.parseInt(hex[1]!, 16)), 4];
  const kind = format[at + 1] ?? '';
  const text = Object.hasOwn(escapes, kind) ? escapes[kind] : undefined;
  if (text === undefined) throw new UsageError(`--format: there is no escape \\${kind}`);
  return [text, 2];
}

/** The text of a delimiter flag, with the same escapes. */
export function unescapeText(flag: string, text: string): string {
  if (text === '') throw new UsageError(`${flag} must not be empty`);
  let found = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      found += text[i]!;
      continue;
    }
    const [character, length] = escaped(text, i);
    found += character;
    i += length - 1;
  }
  return found;
}
