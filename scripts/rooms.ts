// Prints the table of rooms into docs/architecture.md from the rules of the import test, so that the page and the test cannot differ.
// `npm run generate:rooms` writes it, and a structure test compares it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomTable } from '../test/unit/structure/support/import-rules.ts';
import { projectFolder } from './project.ts';

const begin = '<!-- rooms: printed by npm run generate:rooms -->';
const end = '<!-- end of rooms -->';

export const architecturePage = join(projectFolder, 'docs', 'architecture.md');

/** The page with the table of the present rules. Throws if the page has no place for the table. */
export function withRoomTable(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/architecture.md has no lines ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${roomTable()}\n${page.slice(to)}`;
}

if (process.argv[1]?.replace(/\.[jt]s$/, '').endsWith('rooms') === true) {
  writeFileSync(architecturePage, withRoomTable(readFileSync(architecturePage, 'utf8')));
}
