// Owns the running of administration calls by name. Network thread.

import type { AdminCallName } from '../../common/admin/calls.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import { Cancelled } from '../../common/errors/errors.ts';
import { onlyBrokers } from '../../common/errors/only-controllers.ts';
import type { RoleHost } from '../client/role.ts';
import { AdminRole } from './admin-role.ts';
import { Call, type SaltPassword } from './call.ts';
import { callTable } from './call-table.ts';

type RunByName = (call: Call, args: unknown) => Promise<unknown>;

export class AdminDesk {
  /** The role that the poll loop must call. */
  readonly role: AdminRole;
  readonly #config: KafkaClientConfig;
  readonly #saltPassword: SaltPassword;

  constructor(host: RoleHost, config: KafkaClientConfig, saltPassword: SaltPassword, now: number) {
    this.#saltPassword = saltPassword;
    this.role = new AdminRole(host, now);
    this.#config = config;
  }

  /** @param args the arguments of the call; the application's side has checked them */
  run(name: AdminCallName, args: unknown, timeoutMs: number, now: number): Promise<unknown> {
    this.role.now = now;
    const { requestTimeoutMs, retryBackoffMs } = this.#config;
    const retryBackoffMaxMs = Math.max(retryBackoffMs, maxBackoffMs);
    const saltPassword = this.#saltPassword;
    const backoff = { retryBackoffMs, retryBackoffMaxMs };
    const isByControllers = this.#config.bootstrapControllers !== null;
    if (isByControllers && !callsOfControllers.has(name)) throw onlyBrokers(`calls of ${name}`);
    const call = new Call(this.role, { name, timeoutMs, requestTimeoutMs, ...backoff, saltPassword, isByControllers });
    return (callTable[name] as RunByName)(call, args);
  }

  close(): void {
    this.role.close(new Cancelled('the client was closed'));
  }
}

/** What controllers do without a broker (KIP-919). */
const callsOfControllers: ReadonlySet<AdminCallName> = new Set<AdminCallName>([
  'describeCluster',
  'describeFeatures',
  'updateFeatures',
  'describeMetadataQuorum',
  'addRaftVoter',
  'removeRaftVoter',
  'unregisterBroker',
  'unregisterController',
  'describeAcls',
  'createAcls',
  'deleteAcls',
  'describeConfigs',
  'incrementalAlterConfigs',
]);

/** The default of Kafka's own admin client (`retry.backoff.max.ms`). */
const maxBackoffMs = 1000;
