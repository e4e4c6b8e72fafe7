// Owns the interface through which producers and consumers use their client. Types only. Application thread.

import type { MessagePort } from 'node:worker_threads';
import type { Control, ControlResult } from '../../common/control.ts';
import type { LogLevel } from '../../common/logger.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';

/** A producer or a consumer of a client. */
export interface ClientRole {
  /** The client is being closed. Closes the producer or consumer within `timeoutMs`. Never rejects. */
  closeWithClient(timeoutMs: number): Promise<void>;
  /** The network thread has ended. Everything that waits fails with `error`. */
  onThreadLost(error: Error): void;
  /** What `client.inspect()` shows of it. */
  readonly shown: ShownRole;
}

/** A producer or a consumer, as `client.inspect()` shows it. */
export interface ShownRole {
  readonly kind: 'producer' | 'consumer';
  /** The transactional id or the group id; empty without one. */
  readonly name: string;
  /** This thread's end of its link. */
  readonly end: ShownEnd;
}

export type ShownEnd = ApplicationEnd;

/** A handle that carries a client to another thread. `client.share()` makes it. */
export interface SharedClient {
  readonly transferList: readonly MessagePort[];
}

export interface MetricsOrigin {
  readonly clientId: string;
  /** Whether metrics are recorded. */
  readonly metrics: boolean;
}

export interface ClientHost {
  /** @throws IllegalStateError when the client is closed */
  share(): SharedClient;
  readonly networkDoorbell: SharedArrayBuffer;
  readonly countersMemory: SharedArrayBuffer;
  /** The client id that metrics carry, and whether metrics are recorded. */
  readonly metricsOrigin: MetricsOrigin;
  /** Runs one control call. The `ports` in its argument are moved. */
  callWith<Argument, T>(
    run: (control: Control, argument: Argument) => Promise<ControlResult<T>>,
    argument: Argument,
    ports: readonly MessagePort[],
  ): Promise<T>;
  /** Keeps the process alive until `release` was called as often as `hold`. */
  hold(): void;
  release(): void;
  /** How many partitions the topic has. Null for a topic that this thread does not know. */
  partitionCount(topic: string): number | null;
  /** Adds the topic to the tracked topics and waits for a metadata update that began after that. */
  learnTopic(topic: string): Promise<void>;
  /** Resolves when the network thread has read all that had come, and the client has taken its part of it. */
  catchUp(): Promise<unknown>;
  addRole(role: ClientRole): void;
  removeRole(role: ClientRole): void;
  log(level: LogLevel, event: string, message: string, error?: Error): void;
  /** Called with errors that callbacks throw. */
  readonly callbackThrew: (error: unknown) => void;
}
