// Owns the responses of one attachment that the codec pool decodes. Each response waits for the earlier ones of its node. Network
// thread. Must not write to the link: response-proxy.ts does, in the order given here.

import type { DecodedBody } from '../requests/codec-work.ts';
import type { InFlightRequest } from '../requests/request-owner.ts';

export interface PooledResponse {
  readonly request: InFlightRequest;
  /** Null while the pool decodes it. */
  outcome: DecodedBody | Error | null;
}

export class PooledResponses {
  readonly #byNode = new Map<number, PooledResponse[]>();

  /** Whether a later response of this node must wait. */
  hasAny(nodeId: number): boolean {
    return this.#byNode.has(nodeId);
  }

  add(request: InFlightRequest): PooledResponse {
    const response: PooledResponse = { request, outcome: null };
    const queue = this.#byNode.get(request.nodeId);
    if (queue === undefined) this.#byNode.set(request.nodeId, [response]);
    else queue.push(response);
    return response;
  }

  /**
   * Calls `deliver` for decoded responses, the oldest of each node first, until it returns false.
   * Returns true when a node has no response left here, so that its connection may go on.
   */
  deliver(deliver: (response: PooledResponse) => boolean): boolean {
    let hasFreed = false;
    for (const [nodeId, queue] of this.#byNode) {
      while (queue.length > 0 && queue[0]!.outcome !== null) {
        if (!deliver(queue[0]!)) return hasFreed;
        queue.shift();
      }
      if (queue.length > 0) continue;
      this.#byNode.delete(nodeId);
      hasFreed = true;
    }
    return hasFreed;
  }
}
