// Owns version ranges: their text form in the tables, and the conditions made of them in generated code. Development
// only, runs in the generator. Must not know fields or messages.

/** Versions from `min` to `max`, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** `none`, `3`, `0-12` or `4+`, cut to `within`; null when nothing is left. */
export function parseRange(text: string, within: Range): Range | null {
  if (text === 'none') return null;
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  if (match === null) throw new Error(`version range ${JSON.stringify(text)} is neither none, N, N+ nor N-M`);
  const min = Number(match[1]);
  const max = match[2] !== undefined ? within.max : match[3] !== undefined ? Number(match[3]) : min;
  if (match[3] !== undefined && max < min) throw new Error(`version range ${JSON.stringify(text)} runs backwards`);
  return intersect({ min, max }, within);
}

export function intersect(a: Range | null, b: Range | null): Range | null {
  if (a === null || b === null) return null;
  const min = Math.max(a.min, b.min);
  const max = Math.min(a.max, b.max);
  return min > max ? null : { min, max };
}

/** The smallest range around both. */
export function envelope(a: Range | null, b: Range): Range {
  return a === null ? b : { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

export function covers(a: Range | null, b: Range): boolean {
  return a !== null && a.min <= b.min && a.max >= b.max;
}

export function contains(range: Range | null, version: number): boolean {
  return range !== null && version >= range.min && version <= range.max;
}

/** `true`, `false`, or a comparison of `v`, for a `v` that is known to be within `within`. */
export function condition(range: Range | null, within: Range): string {
  const cut = intersect(range, within);
  if (cut === null) return 'false';
  if (covers(cut, within)) return 'true';
  if (cut.min === cut.max) return `v === ${cut.min}`;
  if (cut.min <= within.min) return `v <= ${cut.max}`;
  if (cut.max >= within.max) return `v >= ${cut.min}`;
  return `v >= ${cut.min} && v <= ${cut.max}`;
}

/** As the tables write it, for documentation. */
export function rangeText(range: Range, within: Range): string {
  if (range.min === range.max) return `version ${range.min}`;
  return range.max >= within.max ? `versions ${range.min}+` : `versions ${range.min}-${range.max}`;
}
