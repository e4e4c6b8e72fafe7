// Owns the steps of a connection attempt: name look-up, one address after another, the handshake at the end. Network
// thread. Must not decide when to try (network-client.ts) or how long to wait after a failure (connection-states.ts).

import { withoutBrackets } from '../../common/config/bootstrap-servers.ts';
import { KafkaConnectionError } from '../../common/errors/errors.ts';
import type { Channel } from '../net/channel.ts';
import type { Resolve } from '../net/resolver.ts';
import type { Selector } from '../net/selector.ts';
import type { Events } from '../report/events.ts';
import type { Node } from './node.ts';

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
  readonly #events: Events;
  readonly #nodeOf = new Map<Channel, Node>();
  #results: LookupResult[] = [];

  constructor(selector: Selector, resolve: Resolve, wake: () => void, receiveMessageMaxBytes: number, events: Events) {
    this.#selector = selector;
    this.#resolve = resolve;
    this.#wake = wake;
    this.#receiveMessageMaxBytes = receiveMessageMaxBytes;
    this.#events = events;
  }

  /** The node that a channel belongs to; undefined after the node has given the channel up. */
  nodeOf(channel: Channel): Node | undefined {
    return this.#nodeOf.get(channel);
  }

  /** Begins an attempt: looks up the name, then opens the first address. */
  start(node: Node, now: number): void {
    node.connection.attemptStarted(now, false);
    this.#events.attemptBegins(node);
    const lookupId = ++node.lookupId;
    node.isLookingUp = true;
    node.publish(now);
    const done = (error: Error | null, addresses: readonly string[]): void => {
      this.#results.push({ node, lookupId, error, addresses });
      this.#wake();
    };
    try {
      this.#resolve(withoutBrackets(node.host), done);
    } catch (error) {
      done(error as Error, []);
    }
  }

  /**
   * Handles look-ups that have ended; `onFailure` is called for those without an address. Returns how many there
   * were.
   */
  poll(now: number, onFailure: (node: Node, error: Error) => void): number {
    const results = this.#results;
    this.#results = [];
    for (const { node, lookupId, error, addresses } of results) {
      // The attempt that this answer belongs to was given up meanwhile.
      if (!node.isLookingUp || node.lookupId !== lookupId) continue;
      node.isLookingUp = false;
      if (addresses.length === 0) {
        const text = `name look-up of '${node.host}' failed: ${error?.message ?? 'no address'}`;
        onFailure(node, new KafkaConnectionError(text, { cause: error ?? undefined, nodeId: node.id }));
        continue;
      }
      node.connection.untriedAddresses = startingBehind(node.connection.lastAddress, addresses);
      const failure = this.#openNext(node, now);
      if (failure !== null) onFailure(node, failure);
    }
    return results.length;
  }

  /** Opens the next address of the same look-up, if there is one left. */
  tryNextAddress(node: Node, now: number): boolean {
    return node.connection.untriedAddresses.length > 0 && this.#openNext(node, now) === null;
  }

  /** Gives up the attempt or connection that the node has. */
  abandon(node: Node): void {
    node.isLookingUp = false;
    const { channel } = node;
    if (channel === null) return;
    node.channel = null;
    node.apiVersions = null;
    node.handshake = null;
    this.#nodeOf.delete(channel);
    this.#selector.close(channel);
  }

  /**
   * Opens the first untried address that can be opened; an address may be unusable, since metadata may name an
   * impossible port. Returns the error if none could be opened.
   */
  #openNext(node: Node, now: number): KafkaConnectionError | null {
    let failure: KafkaConnectionError | null = null;
    for (const { connection } = node; connection.untriedAddresses.length > 0; ) {
      const address = connection.untriedAddresses.shift()!;
      connection.lastAddress = address;
      try {
        const channel = this.#selector.connect(
          node.id,
          { address, port: node.port, host: withoutBrackets(node.host) },
          this.#receiveMessageMaxBytes,
        );
        node.channel = channel;
        this.#nodeOf.set(channel, node);
        node.publish(now);
        return null;
      } catch (cause) {
        const text = `connection to ${address}:${node.port} cannot be opened: ${(cause as Error).message}`;
        failure = new KafkaConnectionError(text, { cause, nodeId: node.id });
      }
    }
    return failure;
  }
}

/**
 * All addresses; the one that was tried last comes last. Otherwise an address that never answers would use up every
 * attempt.
 */
function startingBehind(last: string | null, addresses: readonly string[]): string[] {
  const behind = last === null ? 0 : addresses.indexOf(last) + 1;
  return [...addresses.slice(behind), ...addresses.slice(0, behind)];
}
