// Owns small functions about text that several rooms use: how a value looks in a message, which name was probably meant, whether
// UTF-8 can encode a text. Every thread. Must not throw, whatever the value is.

const defaultMaxCharacters = 60;

/** A caller's value for an error message. The text is short. The value's own methods are not called, because they may throw. */
export function shown(value: unknown, maxCharacters = defaultMaxCharacters): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > maxCharacters ? `${value.slice(0, maxCharacters)}...` : value);
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : shownObject(value);
    default:
      return String(value);
  }
}

function shownObject(value: object): string {
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const { low, high, unsigned } = value as { low?: unknown; high?: unknown; unsigned?: unknown };
    if (Number.isInteger(low) && Number.isInteger(high))
      return `Long(${String(low)}, ${String(high)}${unsigned === true ? ', unsigned' : ''})`;
    const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === 'string' && name !== '' && name !== 'Object' ? `a ${name}` : 'an object';
  } catch {
    // The value is a proxy that throws, or has a getter that throws.
    return 'an object';
  }
}

/** The known name that is nearest to `name`. Undefined if none is within `maxChanges` changed letters. Upper and lower case are the same. */
export function nearestName(name: string, known: Iterable<string>, maxChanges: number): string | undefined {
  let best: string | undefined;
  let least = maxChanges + 1;
  for (const candidate of known) {
    const changes = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (changes >= least) continue;
    least = changes;
    best = candidate;
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Whether UTF-8 can encode the text. It cannot if a half of a surrogate pair stands alone. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
