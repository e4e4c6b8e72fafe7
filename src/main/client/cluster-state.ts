// Owns what this application thread knows about the cluster, as `Cluster` shows it and as `ClusterWriter` changes it. Application thread.
// Must not be exported: applications see a `Cluster`.

import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import { type CallerContext, callerContext, runIn } from '../link/async-context.ts';
import type { Cluster } from './cluster.ts';
import { type BrokerMetadata, ClusterSnapshot } from './cluster-snapshot.ts';

export type ClusterListener = (cluster: Cluster) => void;
type Listeners = Map<ClusterListener, CallerContext>;

/** By owner, and held by nothing else: a listener must not be what keeps its client alive. */
const listenersOf = new WeakMap<object, Listeners>();

/** Listeners live as long as their owner, which they may refer to. */
export class ClusterListeners {
  #owner: WeakRef<object> = new WeakRef(this);

  add(listener: ClusterListener): void {
    const owner = this.#owner.deref();
    if (owner === undefined) return;
    const listeners = listenersOf.get(owner) ?? new Map<ClusterListener, CallerContext>();
    listenersOf.set(owner, listeners);
    if (!listeners.has(listener)) listeners.set(listener, callerContext());
  }

  remove(listener: ClusterListener): void {
    this.#all?.delete(listener);
  }

  /** Gives the listeners to come another owner. */
  keepWith(owner: object): void {
    this.#owner = new WeakRef(owner);
  }

  call(cluster: Cluster, threw: (error: unknown) => void): void {
    for (const [listener, context] of [...(this.#all ?? [])]) {
      try {
        runIn<Cluster>(context, listener, cluster);
      } catch (error) {
        // The other listeners, and the reader of the link, go on.
        threw(error);
      }
    }
  }

  get #all(): Listeners | undefined {
    const owner = this.#owner.deref();
    return owner === undefined ? undefined : listenersOf.get(owner);
  }
}

export class ClusterState {
  /** Counts metadata refreshes; 0 before the first. */
  updateId = 0;
  needsAllTopics = false;
  readonly listeners = new ClusterListeners();
  /** Node ids of coordinators by group; -1 after a failed look-up. */
  readonly groupCoordinators = new Map<string, number>();
  readonly coordinators = new Map<number, BrokerMetadata>();
  #response: MetadataResponseView | null = null;
  #built: ClusterSnapshot | null = null;

  /** The newest; null before the first refresh. */
  get response(): MetadataResponseView | null {
    return this.#response;
  }

  set response(response: MetadataResponseView) {
    this.#response = response;
    this.#built = null;
  }

  /** Made of the response when it is first needed. */
  get snapshot(): ClusterSnapshot {
    this.#built ??= new ClusterSnapshot(this.#response);
    return this.#built;
  }

  /** The same without the listeners, and with a snapshot of its own. */
  copy(snapshot: ClusterSnapshot): ClusterState {
    const copy = new ClusterState();
    copy.updateId = this.updateId;
    copy.needsAllTopics = this.needsAllTopics;
    copy.#response = this.#response;
    copy.#built = snapshot;
    for (const [group, nodeId] of this.groupCoordinators) copy.groupCoordinators.set(group, nodeId);
    for (const [nodeId, broker] of this.coordinators) copy.coordinators.set(nodeId, broker);
    return copy;
  }
}
