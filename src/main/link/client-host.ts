// Owns what producers and consumers need of the client they belong to. Types only. Application thread.

import type { MessagePort } from 'node:worker_threads';
import type { Control, ControlResult } from '../../common/control.ts';
import type { LogLevel } from '../../common/logger.ts';

/** A producer or a consumer, as its client sees it. */
export interface ClientRole {
  /** The client is being closed; ends within `timeoutMs`. Never rejects. */
  closeWithClient(timeoutMs: number): Promise<void>;
  /** The network thread is gone: whatever waits fails with `error`. */
  onThreadLost(error: Error): void;
}

/** What carries a client to another thread, as `client.share()` makes it. */
export interface SharedClient {
  readonly transferList: readonly MessagePort[];
}

export interface ClientHost {
  /** @throws IllegalStateError when the client is closed */
  share(): SharedClient;
  readonly networkDoorbell: SharedArrayBuffer;
  readonly countersMemory: SharedArrayBuffer;
  /** One control call. `ports` of arguments are moved with it. */
  callWith<Argument, T>(
    run: (control: Control, argument: Argument) => Promise<ControlResult<T>>,
    argument: Argument,
    ports: readonly MessagePort[],
  ): Promise<T>;
  /** Keeps the process alive until as many `release` as `hold`. */
  hold(): void;
  release(): void;
  /** Partitions of a topic as far as this thread knows; null for a topic it does not know. */
  partitionCount(topic: string): number | null;
  /** Has metadata cover the topic, and waits for it once. */
  learnTopic(topic: string): Promise<void>;
  addRole(role: ClientRole): void;
  removeRole(role: ClientRole): void;
  log(level: LogLevel, event: string, message: string, error?: Error): void;
  /** Told of what callbacks throw. */
  readonly callbackThrew: (error: unknown) => void;
}
