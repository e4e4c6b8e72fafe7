// Owns the producers and consumers of a client, and what they need of it. Application thread.

import type { MessagePort } from 'node:worker_threads';
import type { Control, ControlResult } from '../../common/control.ts';
import type { LogLevel } from '../../common/logger.ts';
import type { ClientHost, ClientRole, MetricsOrigin, SharedClient, ShownRole } from '../link/client-host.ts';
import type { ClientLog } from '../thread/client-log.ts';
import { withPorts } from '../thread/control-calls.ts';
import type { Session } from './session.ts';

export class ClientRoles implements ClientHost {
  readonly #session: Session;
  readonly #log: ClientLog;
  readonly #roles = new Set<ClientRole>();
  /** One for each role that waits for something. */
  readonly #holds: (() => void)[] = [];

  constructor(session: Session, log: ClientLog) {
    this.#session = session;
    this.#log = log;
  }

  get isEmpty(): boolean {
    return this.#roles.size === 0;
  }

  /** In the order in which they were opened. */
  get shown(): ShownRole[] {
    return [...this.#roles].map((role) => role.shown);
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#roles].map((role) => role.closeWithClient(timeoutMs)));
  }

  onThreadLost(error: Error): void {
    for (const role of [...this.#roles]) role.onThreadLost(error);
  }

  // --- ClientHost

  get networkDoorbell(): SharedArrayBuffer {
    return this.#session.thread.end.networkDoorbell.buffer;
  }

  get countersMemory(): SharedArrayBuffer {
    return this.#session.thread.end.counters.buffer;
  }

  get metricsOrigin(): MetricsOrigin {
    const { clientId, metrics } = this.#session.config;
    return { clientId, metrics };
  }

  get callbackThrew(): (error: unknown) => void {
    return this.#log.callbackThrew;
  }

  callWith<Argument, T>(
    run: (control: Control, argument: Argument) => Promise<ControlResult<T>>,
    argument: Argument,
    ports: readonly MessagePort[],
  ): Promise<T> {
    return this.#session.call<T>((control) => run(control as unknown as Control, withPorts(argument, ports)));
  }

  hold(): void {
    this.#holds.push(this.#session.keepAlive());
  }

  release(): void {
    this.#holds.pop()?.();
  }

  share(): SharedClient {
    return this.#session.share(null);
  }

  partitionCount(topic: string): number | null {
    return this.#session.cluster.partitionsForTopic(topic)?.size ?? null;
  }

  async learnTopic(topic: string): Promise<void> {
    await this.#session.topics.add(topic);
  }

  addRole(role: ClientRole): void {
    this.#roles.add(role);
  }

  removeRole(role: ClientRole): void {
    this.#roles.delete(role);
  }

  log(level: LogLevel, event: string, message: string, error?: Error): void {
    this.#log.write(level, { event, ...(error !== undefined && { err: error }) }, message);
  }
}
