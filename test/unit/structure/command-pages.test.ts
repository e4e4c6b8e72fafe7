// The pages of the commands are those that their declarations make.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandPages, commandsFolder } from '../../../scripts/command-pages.ts';
import { projectFolder } from '../../../scripts/project.ts';

const pages = commandPages();

test('docs/commands is what the declarations of the commands make: run npm run generate:commands', () => {
  assert.deepEqual(readdirSync(commandsFolder).sort(), [...pages.keys()].sort());
  for (const [name, text] of pages) assert.equal(readFileSync(join(commandsFolder, name), 'utf8'), text, name);
});

test('each command has a page with flags and an example, and the page of the command line leads there', () => {
  const overview = readFileSync(join(projectFolder, 'docs', 'command-line.md'), 'utf8');
  for (const [name, text] of pages) {
    assert.match(text, /^\| `--bootstrap-server/m, name);
    assert.match(text, /^## Examples\n\n```\n.*offthread-kafka/m, name);
    assert.ok(overview.includes(`(commands/${name})`), `docs/command-line.md does not lead to commands/${name}`);
    assert.ok(existsSync(join(commandsFolder, name)));
  }
});
