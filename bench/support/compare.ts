// Owns the comparison of two files of benchmark results, row by row. Any thread. Must not read files.

import { tableText } from '../../src/cli/io/table.ts';
import { type Direction, directionOf, median } from './rows.ts';

export interface Result {
  readonly benchmark: string;
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly comparison: string;
  readonly direction: Direction;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, unknown>>;
}

export interface Change {
  readonly row: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** In per cent of the figure before. Positive: the figure has grown. */
  readonly percent: number;
  readonly verdict: 'better' | 'worse' | 'same';
}

/** Smaller changes are noise on most machines. */
export const noisePercent = 5;

/** The keys of environments that are compared. If they differ, figures may differ for that reason. */
const environmentKeys = ['node', 'cpu', 'platform', 'cores'];

/** Reads lines of JSON as `npm run bench -- --save` writes them. Older lines have no direction; it follows from the unit. */
export function readResults(text: string): Result[] {
  return (
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      // Lines of clients that could not be measured.
      .filter((line) => !line.includes('"missing":'))
      .map((line, i) => {
        const result = JSON.parse(line) as Omit<Result, 'direction'> & { readonly direction?: Direction };
        if (typeof result.benchmark !== 'string' || typeof result.ours !== 'number') {
          throw new Error(`line ${i + 1} is not a result of a benchmark: ${line.slice(0, 80)}`);
        }
        return { ...result, direction: result.direction ?? directionOf(result.unit) };
      })
  );
}

/** The rows that both have, in the order of the first. If a row was measured several times, its median counts. */
export function changes(before: readonly Result[], after: readonly Result[]): Change[] {
  const later = byRow(after);
  return [...byRow(before)].flatMap(([row, results]) => {
    const others = later.get(row);
    if (others === undefined) return [];
    const [was, is] = [results, others].map((measured) => median(measured.map(({ ours }) => ours))) as [number, number];
    const percent = was === 0 ? (is === 0 ? 0 : Number.POSITIVE_INFINITY) : (is / was - 1) * 100;
    const { unit, direction } = results[0]!;
    const isBetter = percent > 0 === (direction === 'higher');
    const verdict = Math.abs(percent) <= noisePercent ? 'same' : isBetter ? 'better' : 'worse';
    return [{ row, unit, before: was, after: is, percent, verdict }];
  });
}

/** A table of the rows that both have, and lines about differences that make the comparison unsure. */
export async function comparison(before: readonly Result[], after: readonly Result[]): Promise<string> {
  const all = changes(before, after);
  const cells = all.map(({ row, unit, before: was, after: is, percent, verdict }) => {
    return [verdict, `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`, figure(was), figure(is), unit, row];
  });
  const table = tableText(columns, cells);
  const lines: string[] = [];
  for (const key of environmentKeys) {
    const [was, is] = [before, after].map((results) => valuesOf(results, key)) as [string, string];
    if (was !== is) lines.push(`different environments: ${key} ${was} and ${is}; this may change figures too`);
  }
  const [here, there] = [byRow(before), byRow(after)];
  for (const row of here.keys()) if (!there.has(row)) lines.push(`only in the first: ${row}`);
  for (const row of there.keys()) if (!here.has(row)) lines.push(`only in the second: ${row}`);
  const count = (verdict: string): number => all.filter((change) => change.verdict === verdict).length;
  const commits = `${valuesOf(before, 'commit')} -> ${valuesOf(after, 'commit')}`;
  lines.push(
    `${commits}: ${count('better')} better, ${count('worse')} worse, ${count('same')} the same within ${noisePercent} %`,
  );
  return `${table}${lines.join('\n')}\n`;
}

const columns = [
  { title: 'VERDICT' },
  { title: 'CHANGE', isNumber: true },
  { title: 'BEFORE', isNumber: true },
  { title: 'AFTER', isNumber: true },
  { title: 'UNIT' },
  { title: 'ROW' },
];

/** The parameters that distinguish rows of one name. Other parameters describe the run, such as the name of its topic. */
const identifying = ['frameBytes', 'length', 'kind', 'valueBytes', 'reader', 'compression'];

/** Groups results by row. */
function byRow(results: readonly Result[]): Map<string, Result[]> {
  const rows = new Map<string, Result[]>();
  for (const result of results) {
    const cases = identifying
      .filter((key) => key in result.parameters)
      .map((key) => `${key} ${result.parameters[key]}`);
    const row = [`${result.benchmark}, ${result.name}`, ...cases, `beside ${result.comparison}`].join(', ');
    const known = rows.get(row);
    if (known === undefined) rows.set(row, [result]);
    else known.push(result);
  }
  return rows;
}

/** A figure with four digits. */
function figure(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}

function valuesOf(results: readonly Result[], key: string): string {
  return [...new Set(results.map(({ environment }) => String(environment[key] ?? 'unknown')))].sort().join(' or ');
}
