// Nothing is global: two clients in one thread share no state. This lists every module variable that can change, with the reason why it
// belongs to no client.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

/** File and name of each variable. */
const reasons: Readonly<Record<string, string>> = {
  'codec/zstd.ts implementation': 'which code decompresses, the same for all',
  'codec/crc32.ts tables': 'a table that is made once',
  'codec/crc32c.ts tables': 'a table that is made once',
  'codec/crc32c.ts native': 'native code that is loaded once',
  'codec/crc32c.ts nativeCrc': 'its function',
  'codec/crc32c.ts nativeFromBytes': 'from which length on it is called',
  'codec/native-blocks.ts sized': 'memory that is used during one call',
  'codec/native-blocks.ts snappyOnce': 'a package that is loaded once',
  'codec/native-blocks.ts lz4Once': 'a package that is loaded once',
  'main/link/async-context.ts depth': 'how deep this thread is in callbacks now',
  'main/link/future.ts access': 'functions of the class, set once',
  'main/link/unseen-failures.ts untold': 'each failure tells its own client',
  'main/thread/new-thread.ts early': 'a thread that is made for whichever client comes next',
  'protocol/flat/varints.ts varintEnd': 'a second result of the last call',
  'protocol/wire/codecs.ts codecs': 'codecs that are loaded, by API',
  'protocol/wire/records/message-set-encoder.ts lastHigh': 'a second result of the last call',
  'protocol/wire/records/message-set-encoder.ts lastLow': 'a second result of the last call',
  'protocol/wire/records/message-set-encoder.ts maxTimestampHigh': 'a second result of the last call',
  'protocol/wire/records/message-set-encoder.ts maxTimestampLow': 'a second result of the last call',
  'protocol/wire/records/record-encoder.ts headersEnd': 'a second result of the last call',
  'protocol/wire/records/record-encoder.ts maxTimestampHigh': 'a second result of the last call',
  'protocol/wire/records/record-encoder.ts maxTimestampLow': 'a second result of the last call',
  'protocol/wire/records/record-rows.ts wideEnd': 'a second result of the last call',
  'protocol/wire/records/record-rows.ts wideHigh': 'a second result of the last call',
  'protocol/wire/records/record-scratch.ts kept': 'memory that is used during one call',
  'worker/index.ts codecs': 'a package that is loaded once',
  'worker/index.ts ports': 'the entry of a network thread, which has one client',
};

/** Programs of their own, tables that nothing changes, and generated code, which keeps loaded modules only. */
const isOther = (path: string): boolean =>
  /^(?:testing|cli|protocol\/schema|protocol\/generate|protocol\/flat\/generated|protocol\/wire\/generated)\//.test(
    path,
  );

test('no module keeps state of a client', () => {
  const found: string[] = [];
  for (const { path, text } of sourceFiles('src')) {
    if (isOther(path)) continue;
    for (const [, name] of text.matchAll(/^(?:export )?let (\w+)/gm)) found.push(`${path} ${name}`);
    // A Map or Set whose type says that it is only read, or that is filled where it is made, does not change. Weak ones go with their keys.
    for (const [, name] of text.matchAll(
      /^(?:export )?const (\w+)(?:: (?:Map|Set)<.*>)? = new (?:Map|Set)(?:<.*>)?\(\);/gm,
    ))
      found.push(`${path} ${name}`);
    for (const [, name] of text.matchAll(/^(?:export )?const (\w+)(?:: [^=]*)? = \[\];/gm))
      found.push(`${path} ${name}`);
    for (const [, name] of text.matchAll(/^ {2}static (?!async|readonly)#?(\w+)(?:: [^=(]*)? =/gm))
      found.push(`${path} ${name}`);
  }
  assert.deepEqual(found.sort(), Object.keys(reasons).sort());
});
