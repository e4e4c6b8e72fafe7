// Owns the reading of Java properties files, as Kafka's own tools take them. Main thread of the command line. Must not know any key.

import { UsageError } from '../exit-codes.ts';

/** Keys and values of a properties file, in order; a later line of the same key wins, as in Java. Throws UsageError naming the line. */
export function parseProperties(text: string, name: string): Map<string, string> {
  const properties = new Map<string, string>();
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const first = i + 1;
    let line = lines[i]!.replace(/^[ \t\f]+/, '');
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    // An odd number of backslashes at the end joins the next line.
    while (/(^|[^\\])(\\\\)*\\$/.test(line)) {
      i++;
      line = line.slice(0, -1) + (lines[i] ?? '').replace(/^[ \t\f]+/, '');
    }
    const [key, value] = splitLine(line);
    properties.set(unescaped(key, name, first), unescaped(value, name, first));
  }
  return properties;
}

/** At the first `=`, `:` or white space that is not escaped. */
function splitLine(line: string): [key: string, value: string] {
  const key = /^(?:\\.|[^\\=:\s])*/.exec(line)![0];
  const rest = line.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return [key, rest];
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

function unescaped(text: string, name: string, line: number): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/g, (_, sequence: string) => {
    if (/^u[0-9a-fA-F]{4}$/.test(sequence)) return String.fromCharCode(Number.parseInt(sequence.slice(1), 16));
    if (sequence === 'u')
      throw new UsageError(`${name}, line ${line}: \\u must be followed by four hexadecimal digits`);
    return escapes[sequence] ?? sequence;
  });
}
