// Owns the names of lanes in shared memory: a row of the node table names its lane by number. Written by the network thread,
// read by all without a message. A name that stands here stays.

import { mainLane, maxLaneNameLength, maxLanes } from '../common/node-ids.ts';

/*
 * One slot for each lane but the main one, which has number 0; the slot of lane n is n - 1:
 *
 *       +--------+----------------------------------------+
 *       | LENGTH | ASCII text, four characters a word     |
 *       +--------+----------------------------------------+
 *
 * A slot is written before the count of lanes says that it is there.
 */

const SLOT_WORDS = 1 + Math.ceil(maxLaneNameLength / 4);
export const LANE_SLOTS = maxLanes;
export const LANE_NAMES_BYTES = LANE_SLOTS * SLOT_WORDS * 4;
/** What `number` returns for a lane that has none. */
export const NO_LANE = -1;

/** Where the names lie: `i32[firstWord]` begins the first slot, `i32[countWord]` says how many there are. */
export interface LaneNamesMemory {
  readonly i32: Int32Array;
  readonly firstWord: number;
  readonly countWord: number;
}

export class LaneNamesWriter {
  readonly #memory: LaneNamesMemory;
  readonly #numbers = new Map([[mainLane, 0]]);

  constructor(memory: LaneNamesMemory) {
    this.#memory = memory;
  }

  /** The lane's number, which it gets if it has none; NO_LANE when there are as many as there may be. */
  number(lane: string): number {
    const known = this.#numbers.get(lane);
    if (known !== undefined) return known;
    const { i32, firstWord, countWord } = this.#memory;
    const index = this.#numbers.size - 1;
    if (index >= LANE_SLOTS) return NO_LANE;
    const word = firstWord + index * SLOT_WORDS;
    i32[word] = lane.length;
    for (let i = 0; i < lane.length; i++) {
      i32[word + 1 + (i >>> 2)]! |= lane.charCodeAt(i) << (8 * (i & 3));
    }
    this.#numbers.set(lane, index + 1);
    // Last: a reader that sees this count sees the name.
    Atomics.store(i32, countWord, index + 1);
    return index + 1;
  }
}

export class LaneNamesReader {
  readonly #memory: LaneNamesMemory;
  readonly #names: string[] = [mainLane];

  constructor(memory: LaneNamesMemory) {
    this.#memory = memory;
  }

  /** NO_LANE for one that nobody has asked for. */
  number(lane: string): number {
    this.#refresh();
    return this.#names.indexOf(lane);
  }

  /** Empty for the main lane. */
  name(number: number): string {
    this.#refresh();
    return this.#names[number] ?? `lane-${number}`;
  }

  get isFull(): boolean {
    this.#refresh();
    return this.#names.length > LANE_SLOTS;
  }

  #refresh(): void {
    const { i32, firstWord, countWord } = this.#memory;
    const count = Math.min(Atomics.load(i32, countWord), LANE_SLOTS);
    for (let index = this.#names.length - 1; index < count; index++) {
      const word = firstWord + index * SLOT_WORDS;
      let name = '';
      for (let i = 0; i < Math.min(i32[word]!, maxLaneNameLength); i++) {
        name += String.fromCharCode((i32[word + 1 + (i >>> 2)]! >>> (8 * (i & 3))) & 0x7f);
      }
      this.#names.push(name);
    }
  }
}
