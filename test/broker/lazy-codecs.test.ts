// Which generated code the start of a client parses: on the network side the code of the APIs that it uses, on the application side no
// wire codec.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsedByStart } from '../../bench/micro/generated-code.ts';

for (const [how, apiVersion] of [
  ['starting a client', null],
  ['starting one that waits for no broker', [4, 0]],
] as const) {
  test(`${how} parses the wire codecs of the two APIs it uses, in the network thread only`, async () => {
    const threads = await parsedByStart(apiVersion);
    assert.deepEqual(threads.map(({ isMainThread }) => isMainThread).sort(), [false, true]);
    const wireFiles = (isMain: boolean): string[] => {
      const thread = threads.find(({ isMainThread }) => isMainThread === isMain)!;
      return thread.parsed.filter((name) => name.startsWith('wire/')).map((name) => name.replace(/\.[jt]s$/, ''));
    };
    assert.deepEqual(wireFiles(true), []);
    assert.deepEqual(wireFiles(false), [
      'wire/generated/api-versions',
      'wire/generated/index',
      'wire/generated/metadata',
    ]);
  });
}
