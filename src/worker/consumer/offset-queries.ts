// Owns an application's questions about offsets of logs: the beginning, the end, the first record of a time. They are asked again
// until every partition has an answer or the time is over. Network thread.

import { KafkaClientError, KafkaTimeoutError } from '../../common/errors/errors.ts';
import { anyone } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { backoffMs } from './backoff.ts';
import type { FoundOffset, LogPlace, LogQuestions, OffsetQuestion } from './log-questions.ts';
import { newTopicMs, patienceMs, whyMissing } from './missing-topics.ts';
import { keyOf } from './partition.ts';

interface Query {
  readonly open: Map<string, OffsetQuestion>;
  readonly asked: Set<string>;
  readonly found: Map<string, FoundOffset>;
  readonly deadline: number;
  readonly done: (outcome: ReadonlyMap<string, FoundOffset> | Error) => void;
  /** Since when metadata says that a topic or partition is not there; Infinity: it does not say so. */
  missingSince: number;
  /** The metadata update that said so first. */
  missingUpdateId: number;
  error: Error | null;
  failures: number;
  retryAt: number;
}

export class OffsetQueries {
  readonly #host: RoleHost;
  readonly #questions: LogQuestions;
  readonly #retryBackoffMs: number;
  readonly #isCommitted: boolean;
  #queries: Query[] = [];
  #closedBy: Error | null = null;

  constructor(host: RoleHost, questions: LogQuestions, isCommitted: boolean, retryBackoffMs: number) {
    this.#host = host;
    this.#questions = questions;
    this.#isCommitted = isCommitted;
    this.#retryBackoffMs = retryBackoffMs;
  }

  /** Asks the questions. `done` is called once. Until then the topics are tracked. */
  ask(questions: readonly OffsetQuestion[], deadline: number, done: Query['done'], now: number): void {
    if (this.#closedBy !== null) {
      done(this.#closedBy);
      return;
    }
    const open = new Map(questions.map((question) => [keyOf(question.topic, question.index), question]));
    const query: Query = {
      open,
      asked: new Set(),
      found: new Map(),
      deadline,
      done,
      missingSince: Number.POSITIVE_INFINITY,
      missingUpdateId: -1,
      error: null,
      failures: 0,
      retryAt: Number.NEGATIVE_INFINITY,
    };
    for (const { topic } of questions) this.#host.cluster.addTopic(query, topic);
    this.#queries.push(query);
    this.poll(now);
  }

  poll(now: number): void {
    for (const query of [...this.#queries]) {
      const missing = this.#missing(query, now);
      if (query.open.size === 0) this.#end(query, query.found);
      else if (missing !== null) this.#end(query, missing);
      else if (now >= query.deadline) this.#end(query, timedOut(query, this.#host.requests.lastError(anyone)));
      else if (now >= query.retryAt) this.#askLeaders(query, now);
    }
  }

  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const { deadline: end, retryAt, missingSince } of this.#queries) {
      const believedAt = missingSince + newTopicMs;
      for (const at of [retryAt, believedAt]) if (at > now) deadline = Math.min(deadline, at);
      deadline = Math.min(deadline, end);
    }
    return deadline;
  }

  /** The consumer has ended by a fault: metadata need not cover the topics of questions. Must do nothing else. */
  forgetTopics(): void {
    for (const query of this.#queries) this.#host.cluster.forget(query);
  }

  /** Fails all questions, and those that come later. */
  close(error: Error): void {
    this.#closedBy = error;
    for (const query of [...this.#queries]) this.#end(query, error);
  }

  /** The error of a topic or partition that is not there, as two answers of metadata say; it may have been created just now. */
  #missing(query: Query, now: number): Error | null {
    const { cluster } = this.#host;
    for (const { topic, index } of query.open.values()) {
      const error = whyMissing(cluster, topic, index);
      if (error === null) continue;
      query.error = error;
      if (query.missingSince > now) {
        query.missingSince = now;
        query.missingUpdateId = cluster.updateId;
      }
      const waitMs = patienceMs(error);
      if (waitMs === 0) return error;
      return now >= query.missingSince + waitMs && cluster.updateId !== query.missingUpdateId ? error : null;
    }
    query.missingSince = Number.POSITIVE_INFINITY;
    return null;
  }

  #askLeaders(query: Query, now: number): void {
    const byLeader = new Map<number, OffsetQuestion[]>();
    for (const [key, question] of query.open) {
      if (query.asked.has(key)) continue;
      const brokerId = this.#questions.askable(question, now);
      if (brokerId < 0) continue;
      query.asked.add(key);
      const list = byLeader.get(brokerId);
      if (list === undefined) byLeader.set(brokerId, [question]);
      else list.push(question);
    }
    for (const [brokerId, questions] of byLeader)
      this.#questions.offsets(
        brokerId,
        questions,
        this.#isCommitted,
        (question, found, at) => this.#found(query, question, found, at),
        now,
      );
  }

  #found(query: Query, place: LogPlace, found: FoundOffset | Error, now: number): void {
    const key = keyOf(place.topic, place.index);
    query.asked.delete(key);
    if (!(found instanceof Error)) {
      query.open.delete(key);
      query.found.set(key, found);
      return;
    }
    query.error = found;
    if (!(found instanceof KafkaClientError) || !found.retriable) {
      this.#end(query, found);
      return;
    }
    query.failures++;
    query.retryAt = now + backoffMs(this.#retryBackoffMs, query.failures, this.#host.random());
  }

  #end(query: Query, outcome: ReadonlyMap<string, FoundOffset> | Error): void {
    const at = this.#queries.indexOf(query);
    if (at < 0) return;
    this.#queries.splice(at, 1);
    this.#host.cluster.forget(query);
    query.done(outcome);
  }
}

function timedOut({ open, error: answered }: Query, unreachable: Error | null): Error {
  const error = answered ?? unreachable;
  const text = `the offsets of ${[...open.keys()].slice(0, 5).join(', ')} did not come in time`;
  return new KafkaTimeoutError(text, error === null ? {} : { cause: error });
}
