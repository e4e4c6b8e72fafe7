// Owns a Kerberos realm for tests: MIT's KDC as an ordinary process on a loopback port, principals, keytabs and tickets. Runs
// in the test process; needs what Debian calls krb5-kdc, krb5-admin-server and krb5-user, and no root.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagedProcess } from '../../fixture/managed-process.ts';
import { answers, freePorts, loopback } from '../../fixture/ports.ts';

export const realm = 'KAFKA.TEST';
/** `stranger/localhost` is a service that clients get tickets for and no broker has the key of. */
const principals = ['kafka/localhost', 'stranger/localhost', 'alice'] as const;
const startTimeoutMs = 120_000;
const commandTimeoutMs = 120_000;
const require = createRequire(import.meta.url);
// Where Debian puts daemons, which is not on everybody's path.
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** Why there can be no realm, or no client for it, on this machine; null when there can. */
export function kerberosProblem(): string | null {
  const missing = ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit', 'klist'].filter((command) => {
    return spawnSync('sh', ['-c', `command -v ${command}`], { env: { ...process.env, PATH: path } }).status !== 0;
  });
  if (missing.length > 0)
    return `no Kerberos: ${missing.join(', ')} not found (Debian: krb5-kdc krb5-admin-server krb5-user)`;
  try {
    require.resolve('kerberos');
    return null;
  } catch {
    return "no Kerberos: the package 'kerberos' is not installed";
  }
}

export class Kdc {
  readonly #folder: string;
  readonly #port: number;
  #process: ManagedProcess | null = null;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async start(): Promise<Kdc> {
    const [port] = await freePorts(1);
    const kdc = new Kdc(mkdtempSync(join(tmpdir(), 'offthread-kdc-')), port!);
    try {
      await kdc.#start();
    } catch (error) {
      await kdc.stop();
      throw error;
    }
    return kdc;
  }

  /** `krb5.conf`, for clients and brokers. */
  get configuration(): string {
    return join(this.#folder, 'krb5.conf');
  }

  get serviceKeytab(): string {
    return this.#keytab('kafka/localhost');
  }

  /** With which alice needs no ticket: the library gets one itself (KRB5_CLIENT_KTNAME). */
  get clientKeytab(): string {
    return this.#keytab('alice');
  }

  /** Gets a ticket for alice, of a day or of `lifetime` as kinit spells it; returns the value of KRB5CCNAME that leads to it. */
  ticket(lifetime = '1d'): string {
    const cache = `FILE:${join(this.#folder, `alice-${lifetime}.cache`)}`;
    this.#run('kinit', ['-l', lifetime, '-k', '-t', this.#keytab('alice'), 'alice'], { KRB5CCNAME: cache });
    return cache;
  }

  /** Whether the tickets there have expired, or are none. */
  hasExpired(cache: string): boolean {
    return spawnSync('klist', ['-s', '-c', cache], { env: { ...process.env, ...this.#environment } }).status === 1;
  }

  /** A KRB5CCNAME that leads to none. */
  get noTicket(): string {
    return `FILE:${join(this.#folder, 'no.cache')}`;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #environment(): Record<string, string> {
    return { PATH: path, KRB5_CONFIG: this.configuration, KRB5_KDC_PROFILE: join(this.#folder, 'kdc.conf') };
  }

  async #start(): Promise<void> {
    writeFileSync(this.configuration, configuration(this.#port));
    writeFileSync(join(this.#folder, 'kdc.conf'), kdcConfiguration(this.#folder, this.#port));
    this.#run('kdb5_util', ['create', '-s', '-r', realm, '-P', 'master-secret']);
    for (const name of principals) {
      this.#run('kadmin.local', ['-q', `addprinc -randkey ${name}`]);
      this.#run('kadmin.local', ['-q', `ktadd -k ${this.#keytab(name)} ${name}`]);
    }
    const environment = Object.entries(this.#environment).map(([name, value]) => `${name}=${value}`);
    this.#process = new ManagedProcess({
      name: 'KDC',
      command: 'env',
      args: [...environment, 'krb5kdc', '-n'],
      logFile: join(this.#folder, 'kdc.log'),
    });
    await this.#process.waitUntil(() => answers(loopback, this.#port), 'ready', startTimeoutMs);
  }

  #keytab(name: (typeof principals)[number]): string {
    return join(this.#folder, `${name.replace('/', '-')}.keytab`);
  }

  #run(command: string, args: readonly string[], environment: Record<string, string> = {}): void {
    const env = { ...process.env, ...this.#environment, ...environment };
    const run = spawnSync(command, args, { env, encoding: 'utf8', timeout: commandTimeoutMs });
    if (run.status !== 0) throw new Error(`${command} failed: ${run.error?.message ?? run.stdout + run.stderr}`);
  }
}

function configuration(port: number): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_realm = false
  dns_lookup_kdc = false
  # the service principal is the host name as the client wrote it
  dns_canonicalize_hostname = false
  rdns = false
  # always TCP
  udp_preference_limit = 1
[realms]
  ${realm} = {
    kdc = ${loopback}:${port}
  }
[domain_realm]
  localhost = ${realm}
  127.0.0.1 = ${realm}
`;
}

function kdcConfiguration(folder: string, port: number): string {
  return `[kdcdefaults]
  kdc_listen = ${loopback}:${port}
  kdc_tcp_listen = ${loopback}:${port}
[realms]
  ${realm} = {
    database_name = ${folder}/principal
    key_stash_file = ${folder}/stash
    acl_file = ${folder}/kadm5.acl
    supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  }
[logging]
  kdc = STDERR
`;
}
