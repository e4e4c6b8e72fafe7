// Owns the wait for a topic that is about to exist. Application thread. Must not ask oftener than the network thread allows.

import { monotonicNowMs } from '../../common/clock.ts';
import { type KafkaClientError, KafkaTimeoutError, NoBrokersAvailable } from '../../common/errors/errors.ts';
import { shown } from '../../common/text.ts';
import { untilAborted } from '../link/abort-signals.ts';
import type { Future } from '../link/future.ts';
import { startLimit } from '../link/late-limit.ts';
import type { Cluster } from './cluster.ts';
import type { Session } from './session.ts';

/** What the wait needs of the client. */
export interface TopicSource {
  readonly cluster: Cluster;
  /** Covers the topic from now on. */
  add(topic: string): Future<Cluster>;
  /** A refresh begun after the call, as far as the backoff allows. */
  refresh(): Future<Cluster>;
  /** Resolves when the network thread has read all that had come, and the cluster shows it. */
  catchUp(): Promise<unknown>;
  /** Why no broker can be asked; undefined while one is connected. */
  unreachable(): Error | undefined;
}

/** Resolves when the topic has metadata. Fails with the broker's error for it: at once where waiting cannot help, else at the end. */
export async function awaitTopic(
  source: TopicSource,
  topic: string,
  limitMs: number,
  signal: AbortSignal | null,
): Promise<Cluster> {
  const { cluster } = source;
  const deadline = monotonicNowMs() + limitMs;
  let refresh = source.add(topic);
  for (;;) {
    const isAnswered = await isDoneWithin(refresh, deadline - monotonicNowMs(), () => source.catchUp());
    // Given up: nobody hears of it any more.
    if (cluster.partitionsForTopic(topic) !== null || signal?.aborted === true) return cluster;
    const error = cluster.topicError(topic);
    if (error !== null && (!error.retriable || !isAnswered)) throw error;
    if (!isAnswered) {
      const cause = source.unreachable();
      const why = cause === undefined ? '' : `: ${cause.message}`;
      throw new KafkaTimeoutError(`no metadata of topic ${JSON.stringify(topic)} came within ${limitMs} ms${why}`, {
        cause,
      });
    }
    refresh = source.refresh();
  }
}

/** The same with a session's topics, ended early by the signal. */
export function awaitTopicOf(
  session: Pick<Session, 'topics' | 'cluster' | 'nodes' | 'config' | 'poll'>,
  topic: string,
  limitMs: number,
  signal: AbortSignal | null,
): Promise<Cluster> {
  const { topics, cluster, nodes, config } = session;
  const source: TopicSource = {
    cluster,
    add: (name) => topics.add(name),
    refresh: () => topics.requestUpdate(),
    catchUp: () => session.poll(0, null, null),
    unreachable: () => nodes.whyNoneConnected(config.bootstrapServers.length),
  };
  return untilAborted(`the wait for topic ${shown(topic)}`, signal, () => awaitTopic(source, topic, limitMs, signal));
}

/** False when the time is over first. Rejects with what the Future fails with, unless the next refresh may succeed. */
async function isDoneWithin(
  future: Future<Cluster>,
  limitMs: number,
  catchUp: () => Promise<unknown>,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isTimeOver = new Promise<false>((resolve) => {
    // The timer of a thread that was blocked fires before the answer is read that has come meanwhile.
    const end = (): void => void setImmediate(resolve, false);
    timer = startLimit(end, Math.max(0, limitMs), catchUp);
  });
  try {
    return await Promise.race([future.then(() => true as const), isTimeOver]);
  } catch (error) {
    const { retriable } = error as Partial<KafkaClientError>;
    if (error instanceof NoBrokersAvailable || retriable !== true) throw error;
    return true;
  } finally {
    clearTimeout(timer);
  }
}
