// The last errors of nodes in shared memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  NODE_ERROR_MAX_BYTES,
  NodeErrorsReader,
  NodeErrorsWriter,
  nodeErrorsBytes,
} from '../../../src/state/node-errors.ts';

const rows = 3;
const seqWord = 0;

function open(): { words: Int32Array; writer: NodeErrorsWriter; reader: NodeErrorsReader } {
  const words = new Int32Array(new SharedArrayBuffer(nodeErrorsBytes(rows)));
  return { words, writer: new NodeErrorsWriter(words), reader: new NodeErrorsReader(words) };
}

test('written texts are read back in each row, whatever their length', () => {
  const { writer, reader } = open();
  const texts = ['', 'x', 'four', 'grüße 🎉', 'y'.repeat(NODE_ERROR_MAX_BYTES)];
  for (const text of texts) {
    writer.set(1, text);
    assert.equal(reader.get(1), text);
    assert.equal(reader.get(0), '');
    assert.equal(reader.get(2), '');
  }
  writer.set(1, 'short again');
  assert.equal(reader.get(1), 'short again');
});

test('a text that does not fit is not kept, and the older text is removed', () => {
  const { writer, reader } = open();
  writer.set(0, 'older');
  writer.set(0, 'z'.repeat(NODE_ERROR_MAX_BYTES + 1));
  assert.equal(reader.get(0), '');
});

test('a slot whose writer died while it wrote is empty', () => {
  const { words, writer, reader } = open();
  writer.set(0, 'whole');
  Atomics.add(words, seqWord, 1);
  assert.equal(reader.get(0), '');
});
