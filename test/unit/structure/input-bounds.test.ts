// Nothing that a broker sends is the size of an allocation, the length of an array, the name of a property or a regular expression without
// a check. The few places where such sizes, names and expressions are made are listed here with what bounds them: whoever adds one must
// say what does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

/** Rooms through which bytes of brokers pass. Memory of what applications write is bounded in other rooms, by their limits. */
const rooms = /^(codec|main\/(admin|client|consumer|link|producer)|protocol\/(flat|wire)|worker)\/(?!.*generated\/)/;

const files = sourceFiles('src').filter(({ path }) => rooms.test(path));

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '');
}

/** The files in which a line matches. */
function filesWith(pattern: RegExp): string[] {
  return files
    .filter(({ text }) =>
      withoutComments(text)
        .split('\n')
        .some((line) => pattern.test(line)),
    )
    .map(({ path }) => path)
    .sort();
}

/** A size that is neither a number nor a constant of the file: those are written in words of one kind, such as `chunkBytes`. */
const sized =
  /(?:Buffer\.alloc(?:Unsafe|UnsafeSlow)?|unfilledMemory|new (?:Array(?:<.*>)?|ArrayBuffer|SharedArrayBuffer|(?:Uint8|Int32|Float64|BigInt64)Array))\((?!0?\)|\d+[),]|\d+ \* |new |chunkBytes\)|compactBelowBytes\)|initialBytes\)|buffer\)|float64)[^)]|Array\.from\(\{ length|\.repeat\(|\.pad(?:Start|End)\(|\.length = [a-z]/;

const sizes: Readonly<Record<string, string>> = {
  'codec/byte-arena.ts': 'the limit of the arena, which is decompressedMaxBytes',
  'codec/lz4.ts': 'output: what was decompressed into the arena; input: what is compressed here',
  'codec/native-blocks.ts': 'the room that the arena has left, checked before',
  'codec/native-crc32c.ts': 'constants: the bytes of a known answer',
  'codec/snappy.ts': 'output: what was decompressed into the arena; input: what is compressed here',
  'main/client/inspection.ts': 'columns of a table that people read, as wide as its texts',
  'main/client/node-states.ts': 'the number of bootstrap servers, from the configuration',
  'main/link/in-flight.ts': 'the number of requests in flight',
  'protocol/flat/flat-view.ts': 'the number of rows of a list, which its writer has bounded by the bytes of the frame',
  'protocol/flat/lent-bytes.ts': 'a view of memory that is there',
  'protocol/flat/record-loan.ts': 'a copy of at most an eighth of a message that was received',
  'protocol/wire/records/record-batch.ts': 'a position in the arena; the digits of a checksum',
  'protocol/wire/records/record-scratch.ts': 'the bytes of one record, which lie in what was received or decompressed',
  'protocol/wire/records/records-plan.ts':
    'twice what batches that were read fill: each took at least its header of bytes',
  'protocol/wire/records/records.ts': 'a position in the arena',
  'protocol/wire/wire-writer.ts': 'what is encoded here, up to the limit of the writer',
  'worker/client/metadata-view.ts':
    'the number of partitions in the list of a decoded response: each took bytes of its frame',
  'worker/client/request-memory.ts': 'the size of a request of the application',
  'worker/client/request-sender.ts': 'the size of a request of the application',
  'worker/consumer/assignors/range.ts': 'the number of partitions in metadata: each took bytes of its frame',
  'worker/consumer/fetched-memory.ts': 'a copy of records of a decoded response, within prefetchBytes',
  'worker/consumer/fetched-records.ts': 'views of records of a decoded response',
  'worker/consumer/group-leader.ts': 'the number of partitions in metadata: each took bytes of its frame',
  'worker/link/response-proxy.ts': 'a response that was received, within spillBudgetBytes',
  'worker/net/frame-memory.ts': 'receiveMessageMaxBytes for one frame, receiveBudgetBytes for all',
  'worker/net/receive-buffer.ts': 'bytes that were read, at most 64 KiB at a time, while no more are asked for',
  'worker/network-thread.ts': 'a view of memory that is there',
  'worker/producer/accumulator.ts': 'a shorter length of the list itself',
  'worker/producer/batch-memory.ts': 'bufferMemoryBytes',
  'worker/producer/batch-packer.ts': 'the bytes of one batch',
  'worker/report/api-recorder.ts': 'the number of APIs, a constant',
  'worker/requests/codec-pool.ts': 'views of memory that is there',
  'worker/requests/codec-work.ts': 'views of memory that is there',
  'worker/requests/flat-copy.ts': 'the size of a request of the application',
  'worker/sasl/authentication.ts': 'a token that this client made',
};

test('memory is taken by sizes that are bounded, in files that say by what', () => {
  const found = filesWith(sized);
  const isListed = (path: string): boolean => Object.hasOwn(sizes, path);
  assert.deepEqual({ unlisted: found.filter((path) => !isListed(path)) }, { unlisted: [] });
  assert.deepEqual({ notNeeded: Object.keys(sizes).filter((path) => !found.includes(path)) }, { notNeeded: [] });
});

test('no name that a broker sends becomes a property by assignment: __proto__ would be another prototype', () => {
  // Object.fromEntries and Map take any name as what it is.
  // Fields of messages have the names of their schema.
  assert.deepEqual(filesWith(/: Record<string, [^=]*> = \{\}/), ['protocol/flat/flat-view.ts']);
});

test('no regular expression is made of what a broker sends', () => {
  const reasons = {
    'worker/consumer/topic-matcher.ts': 'the pattern of the application; topics are only matched with it',
    'worker/net/pem.ts': 'labels of the program',
    'worker/sasl/mechanism.ts': 'the secrets of the configuration, escaped, to be hidden',
  };
  assert.deepEqual(filesWith(/new RegExp\(/), Object.keys(reasons));
});

test('generated decoders read every array by the function that compares its count with the bytes left', () => {
  const generated = sourceFiles('src').filter(({ path }) => path.startsWith('protocol/wire/generated/'));
  assert.ok(generated.length > 50);
  for (const { path, text } of generated) {
    for (const [, function_] of text.matchAll(/function (decode[\s\S]*?)\n}\n/g)) {
      const counts = [...function_!.matchAll(/const count = (.*);/g)].map(([, source]) => source!);
      for (const source of counts) assert.match(source, /^r\.(arrayLength\(.*, .*\)|tagCount\(\))$/, path);
    }
    assert.doesNotMatch(text, /new (Array|Uint8Array|Int32Array)|Buffer\.alloc|\.push\(/, path);
  }
});
