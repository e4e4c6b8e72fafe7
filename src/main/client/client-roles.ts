// Owns the producers and consumers of a client, and what they need of it. Application thread.

import type { MessagePort } from 'node:worker_threads';
import type { Control, ControlResult } from '../../common/control.ts';
import { Cancelled } from '../../common/errors/errors.ts';
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
  /** Why no producer or consumer can be opened any more. Null while they can. */
  #whyEnding: Error | null = null;

  constructor(session: Session, log: ClientLog) {
    this.#session = session;
    this.#log = log;
  }

  /** In the order in which they were opened. */
  get shown(): ShownRole[] {
    return [...this.#roles].map((role) => role.shown);
  }

  /** Closes them. Null if there are none. No others can be opened from now on. */
  close(timeoutMs: number): Promise<unknown> | null {
    this.#whyEnding ??= new Cancelled('the client is closed');
    if (this.#roles.size === 0) return null;
    return Promise.all([...this.#roles].map((role) => role.closeWithClient(timeoutMs)));
  }

  onThreadLost(error: Error): void {
    this.#whyEnding ??= error;
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

  /** Fails also when the client was closed meanwhile: what was opened would never be closed. */
  async callWith<Argument, T>(
    run: (control: Control, argument: Argument) => Promise<ControlResult<T>>,
    argument: Argument,
    ports: readonly MessagePort[],
  ): Promise<T> {
    const result = await this.#session.call<T>((control) => {
      return run(control as unknown as Control, withPorts(argument, ports));
    });
    if (this.#whyEnding !== null) throw this.#whyEnding;
    return result;
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
    const { topics } = this.#session;
    await topics.add(topic);
    // Another call has added it, and its metadata has not come yet.
    if (this.partitionCount(topic) === null) await topics.requestUpdate();
  }

  catchUp(): Promise<unknown> {
    return this.#session.poll(0, null, null);
  }

  addRole(role: ClientRole): void {
    this.#roles.add(role);
    // The client has ended since the call that opened the role was answered, and has told all roles but this one, which is not whole yet.
    const error = this.#whyEnding;
    if (error !== null) queueMicrotask(() => role.onThreadLost(error));
  }

  removeRole(role: ClientRole): void {
    this.#roles.delete(role);
  }

  log(level: LogLevel, event: string, message: string, error?: Error): void {
    this.#log.write(level, { event, ...(error !== undefined && { err: error }) }, message);
  }
}
