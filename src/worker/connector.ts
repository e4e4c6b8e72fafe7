// Owns how a connection attempt runs: name look-up, one address after another, the handshake at the end. Network
// thread. Must not decide when to try (network-client.ts) or how long to wait after a failure (connection-states.ts).

import { KafkaConnectionError } from '../common/errors.ts';
import type { Channel } from './channel.ts';
import type { Node } from './node.ts';
import type { Resolve } from './resolver.ts';
import type { Selector } from './selector.ts';

interface LookupResult {
  readonly node: Node;
  readonly lookupId: number;
  readonly error: Error | null;
  readonly addresses: readonly string[];
}

export class Connector {
  readonly #selector: Selector;
  readonly #resolve: Resolve;
  readonly #wake: () => void;
  readonly #receiveMessageMaxBytes: number;
  readonly #nodeOf = new Map<Channel, Node>();
  #results: LookupResult[] = [];

  constructor(selector: Selector, resolve: Resolve, wake: () => void, receiveMessageMaxBytes: number) {
    this.#selector = selector;
    this.#resolve = resolve;
    this.#wake = wake;
    this.#receiveMessageMaxBytes = receiveMessageMaxBytes;
  }

  /** The node a channel belongs to; undefined once the node has given it up. */
  nodeOf(channel: Channel): Node | undefined {
    return this.#nodeOf.get(channel);
  }

  /** Begins an attempt: looks the name up, then opens the first address. */
  start(node: Node, now: number): void {
    node.connection.attemptStarted(now, false);
    const lookupId = ++node.lookupId;
    node.isLookingUp = true;
    node.publish(now);
    this.#resolve(node.host, (error, addresses) => {
      this.#results.push({ node, lookupId, error, addresses });
      this.#wake();
    });
  }

  /** Handles look-ups that have ended; `onFailure` gets those without an address. Returns how many there were. */
  poll(now: number, onFailure: (node: Node, error: Error) => void): number {
    const results = this.#results;
    this.#results = [];
    for (const { node, lookupId, error, addresses } of results) {
      // The attempt this answer belongs to was given up meanwhile.
      if (!node.isLookingUp || node.lookupId !== lookupId) continue;
      node.isLookingUp = false;
      if (addresses.length === 0) {
        const text = `name look-up of '${node.host}' failed: ${error?.message ?? 'no address'}`;
        onFailure(node, new KafkaConnectionError(text, { cause: error ?? undefined, nodeId: node.id }));
        continue;
      }
      node.connection.untriedAddresses = [...addresses];
      this.#open(node, now);
    }
    return results.length;
  }

  /** Opens the next address of the same look-up, if there is one left. */
  tryNextAddress(node: Node, now: number): boolean {
    if (node.connection.untriedAddresses.length === 0) return false;
    this.#open(node, now);
    return true;
  }

  /** Gives up whatever attempt or connection the node has. */
  abandon(node: Node): void {
    node.isLookingUp = false;
    const { channel } = node;
    if (channel === null) return;
    node.channel = null;
    node.apiVersions = null;
    this.#nodeOf.delete(channel);
    this.#selector.close(channel);
  }

  #open(node: Node, now: number): void {
    const address = node.connection.untriedAddresses.shift()!;
    const channel = this.#selector.connect(node.id, { address, port: node.port }, this.#receiveMessageMaxBytes);
    node.channel = channel;
    this.#nodeOf.set(channel, node);
    node.publish(now);
  }
}
