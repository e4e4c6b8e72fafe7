// Owns tables: columns of text as wide as they have to be, without borders, so that `awk` and `cut` can read them too. Main thread.

import { createRequire } from 'node:module';

/** One column: its title, and whether its values are numbers. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

type Library = typeof import('console-table-printer');
type Cell = string | number | bigint | null | undefined;

const noBorder = { left: '', mid: '', right: '', other: '' };

/** The table as text, with a line break behind each line. A null is shown as `-`, as Kafka's tools do. */
export function tableText(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const library = prepareTables();
  if (library === null) {
    const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((_, i) => shownCell(row[i])))];
    return lines.map((line) => `${line.join('\t')}\n`).join('');
  }
  const table = new library.Table({
    columns: columns.map(({ title, isNumber }, i) => ({
      name: `c${i}`,
      title,
      alignment: isNumber === true ? 'right' : 'left',
    })),
    style: { headerTop: noBorder, headerBottom: noBorder, tableBottom: noBorder, vertical: '' },
    shouldDisableColors: true,
  });
  for (const row of rows) table.addRow(Object.fromEntries(columns.map((_, i) => [`c${i}`, shownCell(row[i])])));
  const lines = table.render().split('\n');
  // The empty lines are the borders.
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => `${line.slice(1).trimEnd()}\n`)
    .join('');
}

let loaded: Library | null = null;

/** Loads what tables need, while there is time. Null: it is not installed. */
export function prepareTables(): Library | null {
  loaded ??= loadLibrary();
  return loaded;
}

/** An optional package: without it columns are separated by tabs. `import` would read it twice, as a CommonJS package. */
function loadLibrary(): Library | null {
  try {
    return createRequire(import.meta.url)('console-table-printer') as Library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

function shownCell(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-';
  // A line break or an escape sequence within a name would break the table, or the terminal.
  return printable(String(cell));
}

/** Text without characters that control a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it replaces
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (found) => {
    return `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
