// Owns one fetch session with one broker (KIP-227): what the broker remembers, the changes for the next request, and what ends the
// session. Network thread. Must not send. It only knows the positions in the rows that it gets.

import { maxInt32 } from '../../common/numbers.ts';
import type {
  FetchRequestFetchTopic,
  FetchRequestForgottenTopic,
  FetchResponseView,
} from '../../protocol/flat/generated/fetch.ts';

/** One partition to read. */
export interface FetchRow {
  readonly topic: string;
  /** Null if the id is not known. */
  readonly topicId: string | null;
  readonly index: number;
  readonly offset: bigint;
  /** -1 for unknown. */
  readonly leaderEpoch: number;
  readonly maxBytes: number;
}

export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly topics: FetchRequestFetchTopic[];
  readonly forgottenTopicsData: FetchRequestForgottenTopic[];
  /** Whether the request names every wanted partition. */
  readonly isFull: boolean;
}

const noSessionEpoch = -1;
const maxEpoch = maxInt32;

export class FetchSession {
  #id = 0;
  /** 0: the next request asks for a new session. */
  #epoch = 0;
  readonly #known = new Map<string, FetchRow>();
  readonly #firstEpoch: number;

  /** @param firstEpoch of the second request of a session; only tests pass another value than 1 */
  constructor(firstEpoch = 1) {
    this.#firstEpoch = firstEpoch;
  }

  get id(): number {
    return this.#id;
  }

  /** @param hasSessions false for brokers without sessions; then every request names all partitions */
  next(rows: readonly FetchRow[], hasSessions: boolean): SessionRequest {
    if (!hasSessions || this.#epoch === 0) {
      this.#known.clear();
      for (const row of rows) this.#known.set(keyOfRow(row), row);
      return {
        sessionId: hasSessions ? this.#id : 0,
        sessionEpoch: hasSessions ? 0 : noSessionEpoch,
        topics: byTopic(rows),
        forgottenTopicsData: [],
        isFull: true,
      };
    }
    const wanted = new Map(rows.map((row) => [keyOfRow(row), row]));
    const changed = rows.filter((row) => !isSame(this.#known.get(keyOfRow(row)), row));
    const forgotten: FetchRow[] = [];
    for (const [key, row] of this.#known) {
      const now = wanted.get(key);
      // A topic that was deleted and created again has another id. The broker's session has the old id.
      if (now === undefined || now.topicId !== row.topicId) forgotten.push(row);
    }
    for (const row of forgotten) this.#known.delete(keyOfRow(row));
    for (const row of changed) this.#known.set(keyOfRow(row), row);
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed),
      forgottenTopicsData: forgottenByTopic(forgotten),
      isFull: false,
    };
  }

  /**
   * Notes what a response without a top-level error says about the session.
   * @param answered keys of the partitions in the response, as made by `keyOfRow`
   * @returns what is wrong with the response; its data must then not be used. Null if nothing is wrong
   */
  answered(
    { sessionId }: Pick<FetchResponseView, 'sessionId'>,
    isFull: boolean,
    answered: ReadonlySet<string>,
  ): string | null {
    for (const key of answered) {
      if (!this.#known.has(key)) return this.#violated(`names ${key}, which was not asked for`);
    }
    if (isFull) {
      for (const key of this.#known.keys())
        if (!answered.has(key)) return this.#violated(`lacks ${key}, which was asked for`);
      this.#id = sessionId;
      // The broker granted no session, so the next request names all partitions again.
      this.#epoch = sessionId === 0 ? 0 : this.#firstEpoch;
      return null;
    }
    if (sessionId !== this.#id) return this.#violated(`is of session ${sessionId}, expected ${this.#id}`);
    this.#epoch = this.#epoch === maxEpoch ? 1 : this.#epoch + 1;
    return null;
  }

  /** The next request begins a new session, because the broker does not know this one, or its state at the broker is not known. */
  restart(isKnownToBroker: boolean): void {
    // A request with the old id and epoch 0 makes the broker drop the old session.
    if (!isKnownToBroker) this.#id = 0;
    this.#epoch = 0;
    this.#known.clear();
  }

  #violated(problem: string): string {
    this.restart(true);
    return problem;
  }
}

export function keyOfRow({ topic, index }: { readonly topic: string; readonly index: number }): string {
  return `${topic}-${index}`;
}

function isSame(known: FetchRow | undefined, row: FetchRow): boolean {
  return (
    known !== undefined &&
    known.offset === row.offset &&
    known.leaderEpoch === row.leaderEpoch &&
    known.maxBytes === row.maxBytes &&
    known.topicId === row.topicId
  );
}

function group<T>(rows: readonly FetchRow[], make: (row: FetchRow) => T): Map<string, { first: FetchRow; all: T[] }> {
  const groups = new Map<string, { first: FetchRow; all: T[] }>();
  for (const row of rows) {
    const key = `${row.topic} ${row.topicId}`;
    const found = groups.get(key);
    if (found === undefined) groups.set(key, { first: row, all: [make(row)] });
    else found.all.push(make(row));
  }
  return groups;
}

function names({ topic, topicId }: FetchRow): { topic: string; topicId?: string } {
  return topicId === null ? { topic } : { topic, topicId };
}

function byTopic(rows: readonly FetchRow[]): FetchRequestFetchTopic[] {
  const groups = group(rows, ({ index, offset, leaderEpoch, maxBytes }) => ({
    partition: index,
    fetchOffset: offset,
    currentLeaderEpoch: leaderEpoch,
    partitionMaxBytes: maxBytes,
  }));
  return [...groups.values()].map(({ first, all }) => ({ ...names(first), partitions: all }));
}

function forgottenByTopic(rows: readonly FetchRow[]): FetchRequestForgottenTopic[] {
  return [...group(rows, ({ index }) => index).values()].map(({ first, all }) => ({
    ...names(first),
    partitions: all,
  }));
}
