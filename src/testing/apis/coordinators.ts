// Owns the question whether a node is the one to ask about a group or a transactional id. Runs in the broker's thread.

import type { RequestContext } from '../handler.ts';

export function isCoordinator(context: RequestContext, kind: number, key: string): boolean {
  return context.cluster.coordinator(kind, key)?.id === context.node.id;
}
