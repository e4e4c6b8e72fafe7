// Owns the finding of where generated views read their fields, for code that corrects a finished flat message in place.
// Network thread. Must not know any message.

import { FlatArray, FlatMessage, FlatView, type RowReader } from './flat-view.ts';

/** Stands for a message: whatever is read from it is where it was read. Each of its arrays has one element. */
class FieldProbe extends FlatMessage {
  /** Words of a row of the array that was read last. */
  rowWords = 0;
  #word = 0;

  constructor() {
    super({ i32: new Int32Array(0), u8: new Uint8Array(0), base: 0, byteLength: 0 });
  }

  /** Word of the field that `read` reads, relative to its struct. */
  wordOf(read: () => unknown): number {
    this.#word = -1;
    read();
    if (this.#word < 0) throw new Error('no field was read');
    return this.#word;
  }

  override int32(word: number): number {
    this.#word = word;
    return 0;
  }

  override uuid(word: number): string {
    this.#word = word;
    return '';
  }

  override array<T>(word: number, rowWords: number, read: RowReader<T>): FlatArray<T> {
    this.#word = word;
    this.rowWords = rowWords;
    return new FlatArray(this, 0, 1, rowWords, read);
  }

  override unknownTaggedFields(word: number): [] {
    this.#word = word;
    return [];
  }
}

/** Where fields lie: the word of each, relative to its struct; for an array of structs the words of a row besides. */
export interface FieldWords<Name extends string> {
  readonly words: Readonly<Record<Name, number>>;
  readonly rowWords: Readonly<Record<Name, number>>;
}

/**
 * @param viewOf  makes the view of the struct, in any message whose arrays have an element
 * @param names  of integers, uuids, arrays or `unknownTaggedFields`
 */
export function fieldWords<View extends FlatView, Name extends keyof View & string>(
  viewOf: (message: FlatMessage) => View,
  names: readonly Name[],
): FieldWords<Name> {
  const probe = new FieldProbe();
  const view = viewOf(probe);
  const first = FlatView.wordOf(view);
  const words = {} as Record<Name, number>;
  const rowWords = {} as Record<Name, number>;
  for (const name of names) {
    probe.rowWords = 0;
    words[name] = probe.wordOf(() => view[name]) - first;
    rowWords[name] = probe.rowWords;
  }
  return { words, rowWords };
}
