// Owns what every command is given: its configuration, a client, its outputs, and the signal that ends it early. Main thread.

import { readFileSync } from 'node:fs';
import { expecting } from '../common/expected-role.ts';
import type { KafkaClient, Logger } from '../index.ts';
import type { CommandConfig } from './config/client-options.ts';
import { Interrupted, UsageError } from './exit-codes.ts';
import type { Use } from './flags.ts';
import { Output } from './io/output.ts';
import { Progress } from './io/progress.ts';
import { type Column, prepareTables, printable, tableText } from './io/table.ts';

/** The flags that every command takes. */
export interface CommonFlags {
  readonly bootstrapServer?: string;
  readonly bootstrapController?: string;
  readonly commandConfig?: string;
  readonly commandProperty?: readonly string[];
  readonly timeout?: number;
  readonly verbose?: boolean;
  readonly output?: 'table' | 'json';
}

type Library = typeof import('../index.ts');

const environmentPrefix = 'KAFKA_';
/** Variables with the prefix that belong to Kafka's own scripts and are not configuration. */
const foreignVariables = /^KAFKA_(HEAP_OPTS|OPTS|JMX|LOG4J|HOME|GC|JVM|DEBUG|CLUSTER|COMMAND_CONFIG|VERSION|URL|PORT)/;
const defaultTimeoutMs = 30_000;

export class Context {
  readonly out: Output;
  /** Aborted by Ctrl-C, by SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  readonly flags: CommonFlags;
  readonly #controller: AbortController;
  readonly #uses: readonly Use[];
  #client: KafkaClient | null = null;
  #config: CommandConfig | null = null;
  #library: Library | null = null;
  #progress: Progress | null = null;

  constructor(flags: CommonFlags, controller: AbortController, uses: readonly Use[] = []) {
    this.flags = flags;
    this.#controller = controller;
    this.#uses = uses;
    this.signal = controller.signal;
    this.out = new Output(process.stdout, () => controller.abort());
  }

  get isJson(): boolean {
    return this.flags.output === 'json';
  }

  get timeoutMs(): number {
    return this.flags.timeout ?? defaultTimeoutMs;
  }

  /** The package's public names, loaded at first use. */
  async library(): Promise<Library> {
    this.#library ??= await import('../index.ts');
    return this.#library;
  }

  /** From the flags, a properties file and the environment, the first that has a key. Throws UsageError. */
  async config(more: ReadonlyMap<string, string> = new Map()): Promise<CommandConfig> {
    const { commandConfig } = await import('./config/client-options.ts');
    const { parseProperties } = await import('./config/properties.ts');
    const ofEnvironment = environmentProperties(process.env);
    const properties = new Map<string, string>(ofEnvironment);
    const file = this.flags.commandConfig ?? process.env.KAFKA_COMMAND_CONFIG;
    if (file !== undefined)
      for (const [key, value] of parseProperties(readConfig(file), file)) properties.set(key, value);
    for (const pair of this.flags.commandProperty ?? []) {
      const [key, value] = keyAndValue('--command-property', pair);
      properties.set(key, value);
    }
    for (const [key, value] of more) properties.set(key, value);
    this.#putServers(properties);
    // The variables of a broker's container have the same prefix.
    const ofOthers = new Set([...ofEnvironment.keys()].filter((key) => properties.get(key) === ofEnvironment.get(key)));
    const config = commandConfig(properties, ofOthers);
    if (this.#config === null) for (const warning of config.warnings) this.say(`warning: ${warning}`);
    this.#config = config;
    return config;
  }

  /** A flag replaces what the file or the environment name, of either kind. */
  #putServers(properties: Map<string, string>): void {
    const { bootstrapServer, bootstrapController } = this.flags;
    if (bootstrapServer !== undefined && bootstrapController !== undefined)
      throw new UsageError('give only one of --bootstrap-server, --bootstrap-controller');
    if (bootstrapServer !== undefined || bootstrapController !== undefined) {
      properties.delete('bootstrap.servers');
      properties.delete('bootstrap.controllers');
    }
    if (bootstrapServer !== undefined) properties.set('bootstrap.servers', bootstrapServer);
    if (bootstrapController !== undefined) properties.set('bootstrap.controllers', bootstrapController);
    if (!properties.has('bootstrap.servers') && !properties.has('bootstrap.controllers'))
      throw new UsageError('name the brokers: --bootstrap-server HOST:PORT, or KAFKA_BOOTSTRAP_SERVERS');
  }

  /** A client that is closed when the command ends. Fails with: as KafkaClient.start; Interrupted */
  async client(more?: ReadonlyMap<string, string>): Promise<KafkaClient> {
    if (this.#client !== null) return this.#client;
    const { client: options } = await this.config(more);
    const { KafkaClient } = await this.library();
    const isVerbose = this.flags.verbose === true;
    const given = {
      clientId: 'offthread-kafka-cli',
      apiVersionAutoTimeoutMs: Math.min(this.timeoutMs, 10_000),
      closeTimeoutMs: 1000,
      ...options,
      logger: this.#logger(),
      logLevel: isVerbose ? 'debug' : 'silent',
      signal: this.signal,
    } as const;
    const role = this.#uses.find((use) => use === 'producer' || use === 'consumer') ?? null;
    try {
      const starting = KafkaClient.start(expecting(given, { role, sendsRequests: this.#uses.includes('requests') }));
      if (this.#uses.includes('tables') && !this.isJson) prepareTables();
      this.#client = await starting;
    } catch (error) {
      this.checkSignal();
      throw error;
    }
    return this.#client;
  }

  /** Fails with the broker's error unless all of these topics exist. No topic is created by asking. */
  async needTopics(topics: readonly string[]): Promise<void> {
    const admin = (await this.client()).admin({ timeoutMs: this.timeoutMs });
    for (const [topic, outcome] of await admin.describeTopics(topics)) {
      if (outcome.ok) continue;
      outcome.error.message = `topic ${topic}: ${outcome.error.message}`;
      throw outcome.error;
    }
  }

  /** The progress of the command's work, on stderr. It ends with the command. Short work prints nothing without a terminal. */
  async progress(): Promise<Progress> {
    this.#progress ??= await Progress.open(process.stderr, { plainAfterMs: 2000 });
    return this.#progress;
  }

  async close(): Promise<void> {
    this.#progress?.stop();
    const client = this.#client;
    this.#client = null;
    await client?.close();
  }

  /** Throws Interrupted when the command is to end. */
  checkSignal(): void {
    if (!this.signal.aborted) return;
    throw this.signal.reason instanceof Interrupted ? this.signal.reason : new Interrupted();
  }

  /** Ends the command early. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Writes a line of information to stderr. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Objects as a table, or as one line of JSON each with `--output json`. */
  async rows(columns: readonly (Column & { readonly key: string })[], rows: readonly Row[]): Promise<void> {
    if (this.isJson) for (const row of rows) this.out.line(jsonText(row));
    else
      this.out.text(
        tableText(
          columns,
          rows.map((row) => columns.map(({ key }) => shownValue(row[key]))),
        ),
      );
    await this.out.flush();
  }

  #logger(): Logger {
    const log =
      (level: string): Logger['debug'] =>
      ({ event, nodeId }, message) => {
        this.say(printable(`${level} ${event}${nodeId === undefined ? '' : ` node ${nodeId}`}: ${message}`));
      };
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }
}

export type Row = Readonly<Record<string, unknown>>;

function shownValue(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((one) => shownValue(one) ?? '-').join(',');
  return typeof value === 'object' ? String(value) : String(value as string | number | boolean);
}

/** JSON in which int64 are numbers where these are exact, else texts. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, replaceInt64, indent);
}

function replaceInt64(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return exact(value);
  if (typeof value === 'object' && value !== null) {
    const { low, high, unsigned } = value as { low?: unknown; high?: unknown; unsigned?: unknown };
    if (typeof low === 'number' && typeof high === 'number' && typeof unsigned === 'boolean')
      return exact(BigInt(String(value)));
    if (value instanceof Map) return Object.fromEntries(value);
  }
  return value;
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** `KAFKA_SECURITY_PROTOCOL=SSL` is `security.protocol=SSL`, as in Kafka's container images. */
export function environmentProperties(environment: NodeJS.ProcessEnv): Map<string, string> {
  const properties = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith(environmentPrefix) || foreignVariables.test(name)) continue;
    properties.set(name.slice(environmentPrefix.length).toLowerCase().replaceAll('_', '.'), value);
  }
  return properties;
}

export function keyAndValue(flag: string, pair: string): [key: string, value: string] {
  const at = pair.indexOf('=');
  if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1)];
  throw new UsageError(`${flag} must be KEY=VALUE`);
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--command-config: ${(error as Error).message}`);
  }
}
