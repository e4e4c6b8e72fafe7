// Owns the changes of what this application thread knows about the cluster: the reader of the response link takes over metadata and hints
// here. Application thread. Must not be exported: applications see its `cluster`.

import type { BootstrapServer } from '../../common/config/bootstrap-servers.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { thrownError } from '../../common/thrown.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import { Cluster, type MetadataSource } from './cluster.ts';
import { ClusterState } from './cluster-state.ts';

export class ClusterWriter {
  readonly cluster: Cluster;
  /**
   * Topics that a broker called invalid and that topics.ts has not removed yet; metadata refreshes leave them out
   * from then on.
   */
  readonly invalidTopics = new Set<string>();
  readonly #state = new ClusterState();
  readonly #listenerThrew: (error: unknown) => void;
  #lastClusterId: string | null = null;

  /**
   * @param source        null: the cluster cannot be refreshed
   * @param listenerThrew called with what a listener throws; default: a process warning
   */
  constructor(
    servers: readonly BootstrapServer[],
    source: MetadataSource | null = null,
    listenerThrew: (error: unknown) => void = warn,
  ) {
    this.cluster = new Cluster(servers, source, this.#state);
    this.#listenerThrew = listenerThrew;
  }

  /** Takes over a metadata response, and calls the listeners. */
  update(response: MetadataResponseView, updateId: number): void {
    this.#state.response = response;
    this.#state.updateId = updateId;
    this.#checkClusterId(response.clusterId);
    for (const topic of response.topics) {
      // The name is read only if it is needed: there may be very many topics.
      if (topic.errorCode === errorCodes.INVALID_TOPIC_EXCEPTION && topic.name !== null)
        this.invalidTopics.add(topic.name);
    }
    this.#state.listeners.call(this.cluster, this.#listenerThrew);
  }

  /** Takes over what another response says about the cluster. */
  learn(hints: ClusterHints): void {
    // Before the first metadata, one broker that a response names must not look like the whole cluster.
    if (this.#state.response !== null) this.#state.snapshot.learn(hints);
  }

  /** Listeners live as long as `owner`, which they may well refer to. Call it before there are any. */
  keepListenersWith(owner: object): void {
    this.#state.listeners.keepWith(owner);
  }

  /**
   * The cluster may have been replaced by another one at the same addresses, which has other groups. The network
   * thread notices that.
   */
  #checkClusterId(clusterId: string | null): void {
    if (clusterId === null || clusterId === this.#lastClusterId) return;
    const before = this.#lastClusterId;
    this.#lastClusterId = clusterId;
    if (before === null) return;
    this.#state.groupCoordinators.clear();
    this.#state.coordinators.clear();
  }
}

function warn(error: unknown): void {
  process.emitWarning(thrownError(error), { code: 'KAFKA_CLUSTER_LISTENER' });
}
