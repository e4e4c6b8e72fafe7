// The pages for contributors, and the workflows: files and commands that they name exist.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';

const read = (path: string): string => readFileSync(join(projectFolder, path), 'utf8');
const inFolder = (folder: string): string[] =>
  readdirSync(join(projectFolder, folder)).map((name) => join(folder, name));

const guides = inFolder(join('docs', 'contributing'));
const workflows = inFolder(join('.github', 'workflows'));
const templates = inFolder(join('.github', 'ISSUE_TEMPLATE'));
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

describe('pages for contributors', () => {
  test('there is one for each kind of addition, and CONTRIBUTING.md names it', () => {
    assert.equal(guides.length, 4);
    const page = read('CONTRIBUTING.md');
    for (const guide of guides) assert.ok(page.includes(`(${guide.replaceAll('\\', '/')})`), guide);
  });

  test('name files and folders that exist', () => {
    const missing = guides.flatMap((guide) =>
      [...read(guide).matchAll(/`((?:src|test|scripts|docs|bench)\/[\w./-]+)`/g)]
        .map(([, path]) => path!)
        // A file that the reader writes.
        .filter((path) => !path.includes('NAME') && !existsSync(join(projectFolder, path)))
        .map((path) => `${guide}: ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  test('name commands that exist', () => {
    const unknown = [...guides, ...workflows].flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:-]+)/g)]
        .map(([, name]) => name!)
        .filter((name) => !(name in scripts))
        .map((name) => `${page}: ${name}`),
    );
    assert.deepEqual(unknown, []);
  });

  test('name the identifiers of the code', () => {
    for (const [path, names] of [
      ['src/worker/admin/items.ts', ['askForItems']],
      ['src/worker/admin/whole.ts', ['askOnce']],
      ['src/worker/sasl/mechanism.ts', ['BaseMechanism', 'keepSecret', 'isLastToken', 'refusal']],
      ['src/common/config/sasl-config.ts', ['saslMechanisms', 'checkSasl']],
      ['src/codec/index.ts', ['prepareCodecs', 'decompress', 'compress']],
      ['src/main/admin/security-calls.ts', ['alterClientQuotas', 'checkItems']],
      ['src/worker/client/broker-requests.ts', ['maxVersion']],
    ] as const) {
      const text = read(path);
      const pages = guides.map(read).join('\n');
      for (const name of names) {
        assert.ok(text.includes(name), `${name} in ${path}`);
        assert.ok(pages.includes(name), `${name} in docs/contributing`);
      }
    }
  });
});

describe('workflows', () => {
  test('a release is checked, packed and published with provenance, and stores no token', () => {
    const text = read(join('.github', 'workflows', 'release.yml'));
    const steps = ['npm run check', 'npm run test:pack', 'npm publish --provenance'].map((step) => text.indexOf(step));
    assert.ok(
      steps.every((at) => at > 0),
      steps.join(),
    );
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
      'in this order',
    );
    assert.match(text, /^ {2}publish:\n {4}needs: native$/m);
    assert.equal(text.match(/PREBUILT_NATIVE: /g)?.length, 2, 'packed and published with the addons of all platforms');
    assert.match(text, /id-token: write/);
    assert.doesNotMatch(text, /NODE_AUTH_TOKEN|secrets\./);
  });

  test('a change is decided on by .ci/run', () => {
    assert.match(read(join('.github', 'workflows', 'check.yml')), /run: \.ci\/run/);
  });
});

test('issue templates ask for what an answer needs', () => {
  const names = templates.map((path) => path.split(/[\\/]/).at(-1));
  assert.deepEqual(names.sort(), ['config.yml', 'fault.yml', 'slow.yml', 'wish.yml']);
  const fault = read(join('.github', 'ISSUE_TEMPLATE', 'fault.yml'));
  for (const word of ['inspect()', 'code', 'cause', 'Versions']) assert.ok(fault.includes(word), word);
});
