// Owns the topics of a subscription: the given names, or the topics of the cluster that match a pattern. Network thread. Must not be
// used for patterns that the broker evaluates.

import type { Subscription } from '../../common/config/consumer-config.ts';
import type { ClusterView } from '../client/cluster-view.ts';

export interface TopicMatcher {
  /** The topic names, sorted. */
  names(): readonly string[];
  /** Whether `names` has changed since the last call. */
  hasChanged(): boolean;
}

export function topicMatcher(
  subscription: Subscription,
  cluster: Pick<ClusterView, 'topics' | 'isInternal' | 'updateId'>,
  excludeInternalTopics: boolean,
): TopicMatcher {
  if (!('pattern' in subscription)) {
    const names = 'names' in subscription ? subscription.names : [];
    return { names: () => names, hasChanged: () => false };
  }
  const { source, flags } = subscription.pattern;
  const pattern = new RegExp(source, flags);
  let updateId = -1;
  let names: readonly string[] = [];
  const refresh = (): boolean => {
    if (cluster.updateId === updateId) return false;
    updateId = cluster.updateId;
    const matching = cluster
      .topics()
      .filter((topic) => pattern.test(topic) && !(excludeInternalTopics && cluster.isInternal(topic)))
      .sort();
    if (matching.join() === names.join()) return false;
    names = matching;
    return true;
  };
  return {
    names: () => {
      refresh();
      return names;
    },
    hasChanged: refresh,
  };
}
