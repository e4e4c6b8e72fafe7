// Owns whose transaction is open, and how the last ones ended: a call may come when the transaction that it means is over, and another
// one is open. Network thread. Must not begin or end a transaction: transactions.ts does.

/** A transaction among those of all threads that share the producer. */
export interface TransactionName {
  /** The thread that began it: the owner of its records. Null: there is only one. */
  readonly owner: object | null;
  /** Unique in its thread: the id of the call that began it. */
  readonly id: number;
}

/** While one thread has one transaction at a time, it needs no name. */
export const unnamed: TransactionName = { owner: null, id: 0 };

/** How many transactions are remembered after their end. */
const maxEnded = 64;

export class TransactionNames {
  #current: TransactionName | null = null;
  /** The thread of the open transaction has left, so nobody ends it. */
  isOrphan = false;
  /** Called when the transaction of a thread that has left has ended. */
  #orphanListeners: (() => void)[] = [];
  #ended: { readonly name: TransactionName; readonly isCommit: boolean }[] = [];

  /** The open transaction. Null: none is open. */
  get current(): TransactionName | null {
    return this.#current;
  }

  isCurrent(name: TransactionName): boolean {
    return this.#current !== null && isSame(this.#current, name);
  }

  begin(name: TransactionName): void {
    this.#current = name;
    this.isOrphan = false;
  }

  /** @param isCommit null: with the whole producer */
  end(isCommit: boolean | null): void {
    const name = this.#current;
    this.#current = null;
    if (isCommit !== null && name !== null && name !== unnamed && !this.isOrphan) {
      this.#ended.push({ name, isCommit });
      if (this.#ended.length > maxEnded) this.#ended.shift();
    }
    const listeners = this.#orphanListeners;
    this.#orphanListeners = [];
    for (const listener of listeners) listener();
  }

  /** Whether the transaction was committed. Null: it has not ended, or it is not known any more. */
  wasCommitted(name: TransactionName): boolean | null {
    return this.#ended.find((each) => isSame(each.name, name))?.isCommit ?? null;
  }

  /**
   * The thread makes no more calls. Null: all threads.
   * @param whenEnded called once when no transaction of the thread is open, which may be at once
   * @returns whether the open transaction is its own
   */
  left(owner: object | null, whenEnded: () => void): boolean {
    this.#ended = this.#ended.filter(({ name }) => owner !== null && name.owner !== owner);
    const isOwn = this.#current !== null && (owner === null || this.#current.owner === owner);
    if (isOwn) {
      this.isOrphan = true;
      this.#orphanListeners.push(whenEnded);
    } else {
      whenEnded();
    }
    return isOwn;
  }
}

function isSame(one: TransactionName, other: TransactionName): boolean {
  return one.owner === other.owner && one.id === other.id;
}
