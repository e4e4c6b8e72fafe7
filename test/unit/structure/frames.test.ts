// The frame contract: outside of src/ring, a frame is only written by the writer function of its kind and only read by its reader
// function.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

const forms: readonly RegExp[] = [
  /\bcommitEmpty\(/g,
  /\b(requests|responses|link|writer)\.commit\(/g,
  /\b(requests|responses|link|reader)\.(requestId|detail|flags)\b/g,
  /\{[^{}]*\b(requestId|detail|flags)\b[^{}]*\} = (?:this\.)?[\w.#]*\b(requests|responses|link|reader)\b;/g,
];

function breaches(text: string): string[] {
  return forms.flatMap((form) => text.match(form) ?? []);
}

test('frames are written and read by the functions of src/ring/frames only', () => {
  const files = sourceFiles('src').filter(({ path }) => !path.startsWith('ring/'));
  assert.ok(files.length > 100, `${files.length} files found`);
  assert.deepEqual(
    files.flatMap(({ path, text }) => breaches(text).map((found) => `src/${path}: ${found}`)),
    [],
  );
});

describe('a breach of the contract is', () => {
  for (const text of [
    'requests.commitEmpty(POLL, 1, 0)',
    'this.#end.responses.commit(RESPONSE, 1, 0, 8)',
    'const nodeId = requests.detail;',
    'if (link.requestId === 1) return;',
    'const { kind, requestId } = requests;',
    'const { kind, detail: nodeId } = this.#end.responses;',
  ]) {
    test(text, () => assert.equal(breaches(text).length, 1));
  }
});
