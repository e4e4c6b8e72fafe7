// Owns the tables of faults in docs/reliability.md: they are those of test/reference.md. Run by `npm run generate:reliability`; a structure test
// compares both. Must not say anything of its own about a fault.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './project.ts';

const first = '<!-- faults: printed by npm run generate:reliability -->';
const last = '<!-- end of faults -->';
const pagePath = join(projectFolder, 'docs', 'reliability.md');

/** The sections A to I and S of the reference, with the tests of each row. */
function tables(): string {
  const reference = readFileSync(join(projectFolder, 'test', 'reference.md'), 'utf8');
  const sections = reference.split(/^## /m).filter((text) => /^[A-IS] /.test(text));
  return sections.map((text) => `### ${text.trim()}\n`).join('\n');
}

/** How many rows of faults have tests. */
export function faultRowCount(): number {
  return tables()
    .split('\n')
    .filter((line) => /^\| [A-IS]\d/.test(line)).length;
}

/** What the page says, and what it should say. */
export function reliabilityPage(): { readonly is: string; readonly shouldBe: string } {
  const page = readFileSync(pagePath, 'utf8');
  const start = page.indexOf(first);
  const end = page.indexOf(last);
  if (start === -1 || end === -1) throw new Error('docs/reliability.md has no place for the tables of faults');
  return { is: page, shouldBe: `${page.slice(0, start)}${first}\n\n${tables()}\n${page.slice(end)}` };
}

if (process.argv[1]?.replace(/\.[jt]s$/, '').endsWith('reliability') === true) {
  writeFileSync(pagePath, reliabilityPage().shouldBe);
}
