// Owns the listeners of a consumer's events, and calls them. Application thread.

import type Long from 'long';
import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerEvent } from '../../common/consumer-calls.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { unknownName } from '../../common/options.ts';
import { shownLong } from '../../common/shown-long.ts';
import { shown } from '../../common/text.ts';

/** The events and the arguments of their listeners. Listeners are called after the event, and nothing waits for them. */
export interface ConsumerListeners {
  assigned: (partitions: readonly TopicPartition[]) => void;
  /** Partitions were released in order: what was done is committed. */
  revoked: (partitions: readonly TopicPartition[]) => void;
  /** Partitions were lost: they belong to other members already. */
  lost: (partitions: readonly TopicPartition[]) => void;
  /** The application asked for no records for `maxPollIntervalMs`. The event comes when its event loop runs again. */
  blocked: (event: { readonly sinceMs: number; readonly policy: string }) => void;
  /** A partition makes no progress, although it could. */
  stalled: (event: TopicPartition & { readonly cause: string }) => void;
  /** The log was truncated below the position. Reading continues at `to`. */
  truncated: (event: TopicPartition & { readonly from: Long; readonly to: Long }) => void;
  /** An error in the background. After a fatal error the consumer can only be closed. */
  error: (error: Error, isFatal: boolean) => void;
}

type Listener = (...args: never[]) => void;

const events: readonly (keyof ConsumerListeners)[] = [
  'assigned',
  'revoked',
  'lost',
  'blocked',
  'stalled',
  'truncated',
  'error',
];

export class ConsumerEvents {
  readonly #listeners = new Map<keyof ConsumerListeners, Set<Listener>>();
  readonly #callbackThrew: (error: unknown) => void;

  constructor(callbackThrew: (error: unknown) => void) {
    this.#callbackThrew = callbackThrew;
  }

  on(event: keyof ConsumerListeners, listener: Listener): void {
    if (!events.includes(event)) throw unknownName('on: unknown event', String(event), events);
    if (typeof listener !== 'function')
      throw new TypeError(`on: the listener must be a function, not ${shown(listener)}`);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event: keyof ConsumerListeners, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  emit(event: ConsumerEvent): void {
    switch (event.type) {
      case 'assigned':
      case 'revoked':
      case 'lost':
        this.#tell(event.type, event.partitions);
        break;
      case 'blocked':
        this.#tell('blocked', { sinceMs: event.sinceMs, policy: event.policy });
        break;
      case 'stalled':
        this.#tell('stalled', { topic: event.topic, partition: event.partition, cause: event.cause });
        break;
      case 'truncated': {
        const { topic, partition, from, to } = event;
        this.#tell('truncated', { topic, partition, from: shownLong(from), to: shownLong(to) });
        break;
      }
      case 'closed':
        break;
      case 'error':
        this.#tell('error', fromPlainError(event.error), event.isFatal);
        break;
    }
  }

  #tell<E extends keyof ConsumerListeners>(event: E, ...args: Parameters<ConsumerListeners[E]>): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (...values: unknown[]) => void)(...args);
      } catch (error) {
        this.#callbackThrew(error);
      }
    }
  }
}
