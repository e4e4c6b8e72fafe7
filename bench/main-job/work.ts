// Owns the CPU work of the main job: splits text into words, hashes and counts them. Main thread. It reads bytes in place and makes no
// objects.

/** 0 for bytes between words. For others the byte itself, in lower case. All bytes of multi-byte UTF-8 belong to words. */
const wordByte = new Uint8Array(256).map((_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 32;
  const isLetter = byte >= 0x61 && byte <= 0x7a;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isLetter || isDigit || byte === 0x5f || byte >= 0x80 ? byte : 0;
});

const tableBits = 18;

export class WordCounter {
  words = 0;
  /** The number of occurrences, by the hash of the word. Words in the same slot are counted together. */
  readonly #counts = new Uint32Array(1 << tableBits);

  /** Counts the words of one line. */
  count(u8: Uint8Array, start: number, end: number): void {
    const counts = this.#counts;
    let hash = 0;
    let isInWord = false;
    let words = 0;
    for (let i = start; i < end; i++) {
      const byte = wordByte[u8[i]!]!;
      if (byte !== 0) {
        hash = Math.imul(hash ^ byte, 0x01000193);
        isInWord = true;
      } else if (isInWord) {
        counts[Math.imul(hash, 0x9e3779b1) >>> (32 - tableBits)]!++;
        words++;
        hash = 0;
        isInWord = false;
      }
    }
    if (isInWord) {
      counts[Math.imul(hash, 0x9e3779b1) >>> (32 - tableBits)]!++;
      words++;
    }
    this.words += words;
  }

  /** How many different words there were. Words in the same slot count as one. */
  get distinctWords(): number {
    return this.#counts.reduce((sum, count) => (count === 0 ? sum : sum + 1), 0);
  }
}

const fillerPieceBytes = 16 * 1024;

/** The work when nothing was fetched: the same work on a piece of the corpus, again and again. */
export class Filler {
  readonly #sample: Uint8Array;
  readonly #counter = new WordCounter();
  #at = 0;

  /** @param sample must not be changed later */
  constructor(sample: Uint8Array) {
    this.#sample = sample;
  }

  /** Works for some tens of microseconds. */
  workOn(): void {
    const end = Math.min(this.#at + fillerPieceBytes, this.#sample.length);
    this.#counter.count(this.#sample, this.#at, end);
    this.#at = end === this.#sample.length ? 0 : end;
  }

  /** Works without a pause. */
  workFor(durationMs: number): void {
    const end = performance.now() + durationMs;
    do this.workOn();
    while (performance.now() < end);
  }
}
