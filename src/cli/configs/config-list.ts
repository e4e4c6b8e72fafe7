// Owns the splitting of `--add-config`: `key=value` separated by commas, a value with commas in brackets. Main thread.

import { keyAndValue } from '../context.ts';
import { UsageError } from '../exit-codes.ts';

/** Throws UsageError for brackets that do not match, and for a part without `=`. */
export function splitConfigs(lists: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const list of lists) {
    for (const part of parts(list)) {
      const [key, value] = keyAndValue('--add-config', part);
      found.set(key, value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value);
    }
  }
  return found;
}

function parts(list: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let part = '';
  for (const sign of list) {
    if (sign === '[') depth++;
    if (sign === ']') depth--;
    if (depth < 0) break;
    if (sign === ',' && depth === 0) {
      found.push(part.trim());
      part = '';
    } else part += sign;
  }
  if (depth !== 0) throw new UsageError('--add-config: the brackets [ ] do not match');
  found.push(part.trim());
  return found.filter((one) => one !== '');
}
