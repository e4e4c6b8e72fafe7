// Owns the set of topics that metadata covers: the union of what all application threads and roles asked for. Network
// thread. Must not send anything.

import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';

interface Interest {
  /** Topic to whether metadata may create it. */
  readonly topics: Map<string, boolean>;
  needsAll: boolean;
}

/** The topics of the next metadata request. */
export interface MetadataPlan {
  readonly names: readonly string[];
  readonly isForAll: boolean;
  /** Topics that do not exist may be created by the request. */
  readonly mayCreate: boolean;
  /** Topics that must not be created are left out. */
  readonly isPartial: boolean;
}

export class TrackedTopics {
  readonly #interests = new Map<object, Interest>();
  /** Topic to whether any owner allows its creation; null after a change. */
  #union: Map<string, boolean> | null = null;
  #needsAll = false;
  /** The topics in the last complete response. */
  #existing = new Set<string>();
  #wasPartial = false;
  #hasCreatable = false;

  /** Replaces the topics of one owner. */
  set(owner: object, topics: Iterable<string>, needsAll: boolean): void {
    this.#interests.set(owner, { topics: new Map([...topics].map((name) => [name, false])), needsAll });
    this.#changed();
  }

  /** Adds to the topics of one owner. */
  merge(owner: object, topics: Iterable<string>, needsAll: boolean): void {
    const interest = this.#interestOf(owner);
    for (const topic of topics) interest.topics.set(topic, interest.topics.get(topic) ?? false);
    interest.needsAll = needsAll;
    this.#changed();
  }

  /** Returns whether no owner has asked for the topic so far. */
  add(owner: object, topic: string, mayCreate: boolean): boolean {
    const isNew = !this.#all.has(topic);
    this.#interestOf(owner).topics.set(topic, mayCreate);
    this.#changed();
    return isNew;
  }

  remove(owner: object, topic: string): void {
    if (this.#interests.get(owner)?.topics.delete(topic)) this.#changed();
  }

  /** Returns whether all topics are needed now and were not needed before. */
  setNeedsAll(owner: object, needsAll: boolean): boolean {
    const before = this.#needsAll;
    this.#interestOf(owner).needsAll = needsAll;
    this.#changed();
    return this.#needsAll && !before;
  }

  /** Forgets the owner and its topics. */
  forget(owner: object): void {
    if (this.#interests.delete(owner)) this.#changed();
  }

  /** Removes the topic for all owners. */
  drop(topic: string): void {
    for (const { topics } of this.#interests.values()) topics.delete(topic);
    this.#changed();
  }

  get size(): number {
    return this.#all.size;
  }

  has(topic: string): boolean {
    return this.#all.has(topic);
  }

  /**
   * A request that may create topics creates every topic that it names. So it leaves out topics that must not be
   * created, and such requests alternate with complete ones.
   * @param canCreate    this version can tell whether topics may be created
   * @param isAwaited    somebody waits for the answer, which has to be complete
   */
  plan(canCreate: boolean, isAwaited: boolean): MetadataPlan {
    const names = [...this.#all.keys()];
    const missing = canCreate ? names.filter((name) => !this.#existing.has(name)) : [];
    const creatable = missing.filter((name) => this.#all.get(name));
    const isWhole = creatable.length === missing.length && !this.#needsAll;
    if (creatable.length === 0) return { names, isForAll: this.#needsAll, mayCreate: false, isPartial: false };
    if (isWhole) return { names, isForAll: false, mayCreate: true, isPartial: false };
    this.#wasPartial = !isAwaited && !this.#wasPartial;
    if (this.#wasPartial) return { names: creatable, isForAll: false, mayCreate: true, isPartial: true };
    return { names, isForAll: this.#needsAll, mayCreate: false, isPartial: false };
  }

  /** Takes note of the topics in a complete response. */
  described(response: MetadataResponseView): void {
    this.#existing = new Set();
    if (!this.#hasCreatable) return;
    for (const { errorCode, name } of response.topics) {
      if (errorCode === 0 && name !== null && this.#all.has(name)) this.#existing.add(name);
    }
  }

  /** The topic of an owner that asked for only one topic; null for every other owner. */
  onlyTopicOf(owner: object): string | null {
    const interest = this.#interests.get(owner);
    if (interest === undefined || interest.needsAll || interest.topics.size !== 1) return null;
    return [...interest.topics.keys()][0]!;
  }

  get #all(): Map<string, boolean> {
    if (this.#union !== null) return this.#union;
    const union = new Map<string, boolean>();
    this.#hasCreatable = false;
    for (const { topics } of this.#interests.values()) {
      for (const [name, mayCreate] of topics) {
        union.set(name, mayCreate || union.get(name) === true);
        this.#hasCreatable ||= mayCreate;
      }
    }
    this.#union = union;
    return union;
  }

  #interestOf(owner: object): Interest {
    const interest = this.#interests.get(owner) ?? { topics: new Map<string, boolean>(), needsAll: false };
    this.#interests.set(owner, interest);
    return interest;
  }

  #changed(): void {
    this.#union = null;
    this.#needsAll = false;
    for (const { needsAll } of this.#interests.values()) this.#needsAll ||= needsAll;
  }
}
