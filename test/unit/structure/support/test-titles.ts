// Owns the titles of the tests in a file, as far as its text tells. Test thread.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../../../scripts/project.ts';

const sources = new Map<string, string>();

function sourceOf(file: string): string {
  let source = sources.get(file);
  if (source === undefined) {
    source = readFileSync(join(projectFolder, 'test', `${file}.test.ts`), 'utf8');
    sources.set(file, source);
  }
  return source;
}

/**
 * Whether the file has a test of that title. Where the title is a template, what stands in its gaps must be in the file too.
 * @param file path below test/, without `.test.ts`
 */
export function hasTest(file: string, name: string): boolean {
  const source = sourceOf(file);
  for (const [, quote, text] of source.matchAll(/\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1).)+)\1/gs)) {
    const title = text!.replaceAll(/\\(['"`])/g, '$1');
    if (title === name) return true;
    if (quote !== '`' || !title.includes('${')) continue;
    const gaps = matchTemplate(title, name);
    if (gaps?.every((gap) => source.includes(gap))) return true;
  }
  // Titles of a list: the title is a variable, and the name one of the texts.
  return /\b(?:test|it)\(\s*[a-z]\w*,/.test(source) && [`'${name}'`, `"${name}"`].some((text) => source.includes(text));
}

/** What stands in the gaps of the template, if the name is made of it. */
function matchTemplate(template: string, name: string): string[] | null {
  const parts = template.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
  if (parts.every((part) => part.trim() === '')) return null;
  const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+?)');
  return new RegExp(`^${pattern}$`, 's').exec(name)?.slice(1) ?? null;
}
