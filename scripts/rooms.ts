// Prints the table of rooms into docs/architecture.md, from the rules that the import test enforces, so that the page and the
// test cannot differ. `npm run generate:rooms` writes; a structure test compares.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomTable } from '../test/unit/structure/support/import-rules.ts';
import { projectFolder } from './project.ts';

const begin = '<!-- rooms: printed by npm run generate:rooms -->';
const end = '<!-- end of rooms -->';

export const architecturePage = join(projectFolder, 'docs', 'architecture.md');

/** The page with its table as the rules are now. Throws Error when the page has no place for it. */
export function withRoomTable(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/architecture.md has no lines ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n${roomTable()}\n${page.slice(to)}`;
}

if (process.argv[1]?.replace(/\.[jt]s$/, '').endsWith('rooms') === true) {
  writeFileSync(architecturePage, withRoomTable(readFileSync(architecturePage, 'utf8')));
}
