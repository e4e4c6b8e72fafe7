// Owns the topics that metadata refreshes cover, and the Futures of refreshes. Application thread. All other
// refreshes are decided in the network thread.

import type { ControlResult } from '../../common/control.ts';
import { defer } from '../../common/microtask.ts';
import { checkOpenCount, maxRefreshesOfThread } from '../../common/open-limits.ts';
import type { CallPlace } from '../link/call-place.ts';
import { Future, fail, succeed } from '../link/future.ts';
import type { FailureUnseen } from '../link/unseen-failures.ts';
import type { RemoteControl } from '../thread/thread-access.ts';
import { checkTopics } from './arguments.ts';
import type { Cluster, MetadataSource } from './cluster.ts';
import type { ClusterWriter } from './cluster-writer.ts';

/** What this needs from its client. */
export interface TopicsHost {
  readonly retryBackoffMs: number;
  /** When the network thread will refresh metadata next. */
  readonly dueInMs: () => number;
  readonly clusterWriter: () => ClusterWriter;
  call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T>;
  /** Takes what has arrived. */
  drain(): void;
  /** Waits until something more has arrived; rejects if nothing more can arrive. */
  untilProgress(): Promise<void>;
  readonly callbackThrew: (error: unknown) => void;
  readonly failureUnseen?: FailureUnseen;
}

/** The topics that the network thread has not been told about yet. */
interface Change {
  /** The call will replace all topics, not only add some. */
  isWhole: boolean;
  readonly added: string[];
  /** The Futures of the refresh that the call asks for; without any, it asks for no refresh. */
  readonly futures: Future<Cluster>[];
}

export class Topics implements MetadataSource {
  readonly retryBackoffMs: number;
  readonly #host: TopicsHost;
  readonly #tracked = new Set<string>();
  #refreshes = 0;
  /** The call is made at the end of the turn: one message for all changes in a turn. */
  #isHeld = false;
  #change: Change | null = null;

  constructor(host: TopicsHost) {
    this.#host = host;
    this.retryBackoffMs = host.retryBackoffMs;
  }

  /** Whether this thread waits for metadata. */
  get isRefreshing(): boolean {
    return this.#refreshes > 0;
  }

  /** Replaces the set; a refresh is asked for only if a name is new. @param place of the application's call */
  set(topics: Iterable<string>, place: CallPlace | null = null): Future<Cluster> {
    const wanted = checkTopics(topics);
    const { invalidTopics } = this.#host.clusterWriter();
    // Invalid topics: the network thread no longer asks for them, unless the application names them again.
    const hasNew = [...wanted].some((topic) => !this.#tracked.has(topic) || invalidTopics.has(topic));
    const refused = hasNew ? this.#refused(place) : null;
    if (refused !== null) return refused;
    invalidTopics.clear();
    this.#tracked.clear();
    for (const topic of wanted) this.#tracked.add(topic);
    if (hasNew) return this.#refresh({ isWhole: true }, place);
    this.#tell({ isWhole: true });
    return this.#done();
  }

  /** Adds one topic; the cost does not depend on the number of topics. */
  add(topic: string, place: CallPlace | null = null): Future<Cluster> {
    checkTopics([topic]);
    const { invalidTopics } = this.#host.clusterWriter();
    if (this.#tracked.has(topic) && !invalidTopics.has(topic)) return this.#done();
    const refused = this.#refused(place);
    if (refused !== null) return refused;
    invalidTopics.delete(topic);
    this.#tracked.add(topic);
    return this.#refresh({ added: topic }, place);
  }

  /** Makes the call to the network thread now, not at the end of the turn. Needed before this thread blocks. */
  flush(): void {
    const change = this.#change;
    if (change === null) return;
    this.#change = null;
    this.#post(change);
  }

  // --- MetadataSource

  requestUpdate(place: CallPlace | null = null): Future<Cluster> {
    return this.#refused(place) ?? this.#refresh({}, place);
  }

  ttlMs(): number {
    return this.isRefreshing ? 0 : this.#host.dueInMs();
  }

  /** The cluster has changed its own value already. */
  setNeedsAllTopics(): void {
    // A setter returns nothing that could fail. This fails only together with the whole client, which is reported elsewhere.
    this.#refresh({ isWhole: true }, null).addErrback(() => {});
  }

  get #cluster(): Cluster {
    return this.#host.clusterWriter().cluster;
  }

  get #needsAllTopics(): boolean {
    return this.#cluster.needAllTopicMetadata;
  }

  #done(): Future<Cluster> {
    return new Future<Cluster>(this.#host.callbackThrew).success(this.#cluster);
  }

  /** A Future that has failed, if too many wait already; nothing must be changed then. */
  #refused(place: CallPlace | null): Future<Cluster> | null {
    try {
      const what = 'calls of this client wait for metadata';
      checkOpenCount(this.#refreshes, maxRefreshesOfThread, what, 'await some of them first');
      return null;
    } catch (error) {
      return new Future<Cluster>(this.#host.callbackThrew, this.#host.failureUnseen, place).failure(error as Error);
    }
  }

  /** Future of a refresh whose request is sent after this call. */
  #refresh(what: { isWhole?: boolean; added?: string }, place: CallPlace | null): Future<Cluster> {
    const future = new Future<Cluster>(this.#host.callbackThrew, this.#host.failureUnseen, place);
    this.#refreshes++;
    this.#tell({ ...what, future });
    return future;
  }

  #tell({ isWhole = false, added, future }: { isWhole?: boolean; added?: string; future?: Future<Cluster> }): void {
    this.#change ??= { isWhole: false, added: [], futures: [] };
    const change = this.#change;
    change.isWhole ||= isWhole;
    if (added !== undefined) change.added.push(added);
    if (future !== undefined) change.futures.push(future);
    if (this.#isHeld) return;
    this.#isHeld = true;
    defer(() => {
      this.#isHeld = false;
      this.flush();
    });
    this.flush();
  }

  #post({ isWhole, added, futures }: Change): void {
    if (futures.length === 0) {
      const topics = [...this.#tracked];
      // It can only fail together with the whole client, and that error is reported elsewhere.
      this.#host.call((control) => control.trackTopics(topics, this.#needsAllTopics)).catch(() => {});
      return;
    }
    const ended = (complete: (future: Future<Cluster>) => void): void => {
      this.#refreshes -= futures.length;
      for (const future of futures) complete(future);
    };
    this.#awaitRefresh(isWhole, added).then(
      () => ended((future) => succeed(future, this.#cluster)),
      (error: Error) => ended((future) => fail(future, error)),
    );
  }

  async #awaitRefresh(isWhole: boolean, added: readonly string[]): Promise<void> {
    const host = this.#host;
    const needsAll = this.#needsAllTopics;
    const updateId = await host.call<number>((control) => {
      if (isWhole) return control.refreshMetadata([...this.#tracked], needsAll);
      return added.length > 0 ? control.addTopics(added, needsAll) : control.refreshMetadata(null, needsAll);
    });
    // The network thread wrote the refresh into the response link before it answered the call. If the link was full,
    // the refresh comes after this drain has made room.
    host.drain();
    // The numbers of updates are uint32 and wrap.
    while (((host.clusterWriter().cluster.updateId - updateId) | 0) < 0) await host.untilProgress();
  }
}
