// The cutting of text into lines and chunks: nothing is lost at a boundary, with lines of any length.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ChunkPool, chunkBytes } from '../../../../bench/main-job/chunk.ts';
import { CorpusReader, findCorpus } from '../../../../bench/main-job/corpus.ts';

describe('a corpus', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'corpus-test-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The text of each line, by file and line number; pieces of one line joined. */
  async function linesOf(path: string, repeat: number | null = null): Promise<{ lines: string[]; splits: number }> {
    const pool = new ChunkPool(2);
    const reader = new CorpusReader(await findCorpus(path, repeat, folder), pool);
    const byKey = new Map<string, string>();
    for await (const chunk of reader.chunks()) {
      assert.ok(chunk.count > 0);
      for (let i = 0; i < chunk.count; i++) {
        const key = `${chunk.files[i]}:${chunk.lines[i]}`;
        const text = Buffer.from(chunk.bytes.subarray(chunk.starts[i], chunk.ends[i])).toString('latin1');
        byKey.set(key, (byKey.get(key) ?? '') + text);
      }
      pool.release(chunk);
    }
    return { lines: [...byKey.values()], splits: reader.splits };
  }

  const texts: readonly (readonly [what: string, text: string, splits: number])[] = [
    ['one line without an end', 'word', 0],
    ['empty lines', '\n\n\n', 0],
    ['a line that fills a chunk to the last byte', `${'x'.repeat(chunkBytes - 1)}\nnext\n`, 0],
    ['a line as long as a chunk', `${'x'.repeat(chunkBytes)}\nnext\n`, 1],
    ['a last line as long as a chunk', 'x'.repeat(chunkBytes), 1],
    ['a line of many chunks between short ones', `a\n${'y'.repeat(chunkBytes * 3 + 17)}\nb`, 3],
    ['more lines than a chunk may have', 'z\n'.repeat(20_000), 0],
    ['lines that cross every boundary', `${'line of text\n'.repeat(100_000)}`, 0],
  ];
  for (const [what, text, splits] of texts) {
    test(`has every line: ${what}`, async () => {
      const file = join(folder, 'text.txt');
      writeFileSync(file, text);
      const expected = text.split('\n');
      if (expected.at(-1) === '') expected.pop();
      const found = await linesOf(file);
      // Not deepEqual on strings this long: its message would be longer still.
      assert.equal(found.lines.length, expected.length);
      assert.ok(found.lines.every((line, i) => line === expected[i]));
      assert.equal(found.splits, splits);
      rmSync(file);
    });
  }

  test('has the lines of every file below a folder, in order, as often as requested', async () => {
    const below = join(folder, 'below');
    mkdirSync(join(below, 'deep'), { recursive: true });
    writeFileSync(join(below, 'a.txt'), 'one\ntwo');
    writeFileSync(join(below, 'b.txt'), '');
    writeFileSync(join(below, 'c.bin'), 'no text');
    writeFileSync(join(below, 'deep', 'd.md'), 'three\n');
    const { lines } = await linesOf(below, 2);
    assert.deepEqual(lines, ['one', 'two', 'three', 'one', 'two', 'three']);
  });

  test('is refused if the folder is missing or has no text', async () => {
    await assert.rejects(findCorpus(join(folder, 'nowhere'), null, folder), { name: 'JobError', message: /ENOENT/ });
    const empty = mkdtempSync(join(folder, 'empty-'));
    await assert.rejects(findCorpus(empty, null, folder), { name: 'JobError', message: /no text/ });
  });
});
