// Owns the topics that metadata refreshes cover, and the Futures of refreshes. Application thread. When a refresh is due
// otherwise is the network thread's business.

import { Future } from '../link/future.ts';
import type { NetworkThreadHandle } from '../thread/network-thread-handle.ts';
import { checkTopics } from './arguments.ts';
import type { Cluster, MetadataSource } from './cluster.ts';

/** What this needs of the client it belongs to. */
export interface TopicsHost {
  readonly retryBackoffMs: number;
  /** What the network thread says of the next refresh. */
  readonly dueInMs: () => number;
  readonly cluster: () => Cluster;
  call<T>(run: Parameters<NetworkThreadHandle['call']>[0]): Promise<T>;
  /** Takes what has arrived. */
  drain(): void;
  /** Waits until something more has arrived; rejects when nothing will. */
  untilProgress(): Promise<void>;
  readonly callbackThrew: (error: unknown) => void;
}

export class Topics implements MetadataSource {
  readonly retryBackoffMs: number;
  readonly #host: TopicsHost;
  #tracked: ReadonlySet<string> = new Set();
  #refreshes = 0;

  constructor(host: TopicsHost) {
    this.#host = host;
    this.retryBackoffMs = host.retryBackoffMs;
  }

  /** Whether this thread waits for metadata. */
  get isRefreshing(): boolean {
    return this.#refreshes > 0;
  }

  /** Replaces the set; a refresh only for names that are new. */
  set(topics: Iterable<string>): Future<Cluster> {
    const wanted = checkTopics(topics);
    const { invalidTopics } = this.#host.cluster();
    // Those the network thread asks for no more, unless they are named anew.
    const hasNew = [...wanted].some((topic) => !this.#tracked.has(topic) || invalidTopics.has(topic));
    invalidTopics.clear();
    this.#tracked = wanted;
    if (hasNew) return this.#refresh([...wanted]);
    // It fails with the whole client only, and that is told elsewhere.
    this.#host.call((control) => control.trackTopics([...wanted], this.#needsAllTopics)).catch(() => {});
    return new Future<Cluster>(this.#host.callbackThrew).success(this.#host.cluster());
  }

  add(topic: string): Future<Cluster> {
    return this.set([...this.#tracked, ...checkTopics([topic])]);
  }

  // --- MetadataSource

  requestUpdate(): Future<Cluster> {
    return this.#refresh(null);
  }

  ttlMs(): number {
    return this.isRefreshing ? 0 : this.#host.dueInMs();
  }

  /** The cluster has taken note already. */
  setNeedsAllTopics(): void {
    this.#refresh([...this.#tracked]);
  }

  get #needsAllTopics(): boolean {
    return this.#host.cluster().needAllTopicMetadata;
  }

  /** A refresh whose request is sent after this call. @param topics null: those tracked */
  #refresh(topics: readonly string[] | null): Future<Cluster> {
    const future = new Future<Cluster>(this.#host.callbackThrew);
    this.#refreshes++;
    const ended = (complete: () => void): void => {
      this.#refreshes--;
      complete();
    };
    this.#awaitRefresh(topics).then(
      () => ended(() => future.success(this.#host.cluster())),
      (error: Error) => ended(() => future.failure(error)),
    );
    return future;
  }

  async #awaitRefresh(topics: readonly string[] | null): Promise<void> {
    const host = this.#host;
    const updateId = await host.call<number>((control) => control.refreshMetadata(topics, this.#needsAllTopics));
    // The refresh was written to the response link before the call was answered; or, when that was full, it comes after
    // what this drain makes room for.
    host.drain();
    while (host.cluster().updateId < updateId) await host.untilProgress();
  }
}
