// Owns the reading of real text: finds the files and cuts their lines into chunks. Main thread. It holds one chunk at a time, even of big
// files.

import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Chunk, ChunkPool } from './chunk.ts';
import { JobError } from './job-error.ts';

const textExtensions = new Set(
  '.md .txt .js .mjs .cjs .ts .mts .cts .jsx .tsx .json .map .html .css .yml .yaml .xml .csv .tsv .log .rst .py .sh'.split(
    ' ',
  ),
);

/** The least size of the default corpus. The files are read again until it is reached. */
const usefulBytes = 32e6;
const newline = 10;

export interface Corpus {
  readonly files: readonly string[];
  /** The bytes of all files. */
  readonly fileBytes: number;
  /** How often they are read. */
  readonly repeat: number;
}

/**
 * Looks for text.
 * @param input   a file or a folder; null: `defaultFolder`, which is read again until there is enough
 * Throws: JobError when there is none
 */
export async function findCorpus(input: string | null, repeat: number | null, defaultFolder: string): Promise<Corpus> {
  const path = input ?? defaultFolder;
  const info = await stat(path).catch((error: Error) => {
    throw new JobError(`cannot read ${input === null ? 'the default corpus' : '--input'}: ${error.message}`);
  });
  const found = info.isDirectory() ? await textFiles(path) : [{ file: path, size: info.size }];
  const files = found.filter(({ size }) => size > 0);
  const fileBytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length === 0)
    throw new JobError(`no text in ${path}: only files that end in ${[...textExtensions].join(' ')}`);
  const wanted = input === null ? Math.ceil(usefulBytes / fileBytes) : 1;
  return { files: files.map(({ file }) => file), fileBytes, repeat: repeat ?? wanted };
}

async function textFiles(folder: string): Promise<{ file: string; size: number }[]> {
  const found: { file: string; size: number }[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    // Links are left out, because they may form circles.
    if (entry.isDirectory()) found.push(...(await textFiles(path)));
    else if (entry.isFile() && textExtensions.has(extname(entry.name).toLowerCase()))
      found.push({ file: path, size: (await stat(path)).size });
  }
  return found;
}

/** Cuts files into lines and lines into chunks. */
export class CorpusReader {
  /** A line that is longer than a chunk becomes several records. This counts the records that are not the last of their line. */
  splits = 0;
  readonly #corpus: Corpus;
  readonly #pool: ChunkPool;
  #chunk: Chunk | null = null;
  /** In the current chunk: the start of the unfinished line, and the end of the bytes that were read. */
  #lineStart = 0;
  #end = 0;
  #file = 0;
  #line = 1;

  constructor(corpus: Corpus, pool: ChunkPool) {
    this.#corpus = corpus;
    this.#pool = pool;
  }

  /** Every line of every file, in order, in chunks of the pool. The caller gives each chunk back to the pool. */
  async *chunks(): AsyncGenerator<Chunk> {
    this.#chunk = await this.#pool.acquire();
    const { files, repeat } = this.#corpus;
    for (let pass = 0; pass < repeat; pass++) {
      for (const path of files) {
        yield* this.#readFile(path);
        this.#file++;
      }
    }
    if (this.#chunk.count > 0) yield this.#chunk;
    else this.#pool.release(this.#chunk);
    this.#chunk = null;
  }

  async *#readFile(path: string): AsyncGenerator<Chunk> {
    const handle = await open(path);
    try {
      this.#line = 1;
      while (await this.#fill(handle)) yield* this.#cutLines();
      if (this.#lineStart < this.#end) yield* this.#finishLine();
    } finally {
      await handle.close();
    }
  }

  /** Reads as many bytes as fit. Returns false at the end of the file. */
  async #fill(handle: FileHandle): Promise<boolean> {
    const { bytes } = this.#chunk!;
    const { bytesRead } = await handle.read(bytes, this.#end, bytes.length - this.#end);
    this.#end += bytesRead;
    return bytesRead > 0;
  }

  /** Makes lines from the bytes that were read. Leaves room in the chunk. */
  async *#cutLines(): AsyncGenerator<Chunk> {
    for (;;) {
      const at = this.#chunk!.bytes.subarray(0, this.#end).indexOf(newline, this.#lineStart);
      if (at === -1) break;
      this.#addLine(at);
      this.#lineStart = at + 1;
      this.#line++;
      if (this.#chunk!.isFull) yield* this.#nextChunk();
    }
    if (this.#end < this.#chunk!.bytes.length) return;
    if (this.#chunk!.count === 0 && this.#lineStart === 0) {
      this.#addLine(this.#end);
      this.#lineStart = this.#end;
      this.splits++;
    }
    yield* this.#nextChunk();
  }

  /** The last line of a file need not end in a newline. */
  async *#finishLine(): AsyncGenerator<Chunk> {
    this.#addLine(this.#end);
    this.#lineStart = this.#end;
    if (this.#chunk!.isFull || this.#end === this.#chunk!.bytes.length) yield* this.#nextChunk();
  }

  /** Returns the chunk. Bytes that are not a whole line yet are moved to the next chunk. */
  async *#nextChunk(): AsyncGenerator<Chunk> {
    const full = this.#chunk!;
    const next = await this.#pool.acquire();
    next.bytes.set(full.bytes.subarray(this.#lineStart, this.#end));
    this.#end -= this.#lineStart;
    this.#lineStart = 0;
    this.#chunk = next;
    yield full;
  }

  #addLine(end: number): void {
    this.#chunk!.addLine(this.#lineStart, end, this.#file, this.#line);
  }
}
