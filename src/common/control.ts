// Owns the types of the control calls: rare calls of an application thread to the network thread, over comlink. Types only.
// comlink keeps only an error's name, message and stack, so errors are returned as data.

import type { AdminCallName } from './admin/calls.ts';
import type { ClientMemory } from './client-memory.ts';
import type { ConsumerConfig } from './config/consumer-config.ts';
import type { ProducerConfig } from './config/producer-options.ts';
import type { PlainError } from './errors/plain-error.ts';

export type ControlResult<T> = { readonly value: T } | { readonly error: PlainError };

/** Whether an attached client uses the connections of all threads, or connections of its own. */
export type ConnectionChoice = 'shared' | 'own';

/** API key, lowest version, highest version. */
export type ApiVersionRow = readonly [apiKey: number, min: number, max: number];

export interface VersionInfo {
  /** Inferred broker version, e.g. `[4, 4]`. */
  readonly apiVersion: readonly number[];
  readonly apiVersions: readonly ApiVersionRow[];
}

export interface Control {
  /** Finds a usable server. With `apiVersion` configured no server is asked, and the value has the versions of such brokers. */
  start(): Promise<ControlResult<VersionInfo>>;
  /**
   * Connects to the node and waits until it is ready. Retries with backoff until the time is over.
   * @param lane default: the main lane
   */
  awaitReady(nodeId: number, timeoutMs: number, lane?: string): Promise<ControlResult<VersionInfo>>;
  /**
   * The versions that the node supports (null: any node). Uses its connection or a new one, and retries until the time is over.
   * @param isStrict true: the first failure ends the call
   * Fails with: NodeNotReadyError, or NoBrokersAvailable for null; UnrecognizedBrokerVersion
   */
  checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean): Promise<ControlResult<VersionInfo>>;
  /** Replaces the topics tracked for the caller. Does not refresh metadata. */
  trackTopics(topics: readonly string[], needsAllTopics: boolean): Promise<ControlResult<null>>;
  /** Adds to the topics tracked for the caller and refreshes metadata. Value: the id of the update that has the answer. */
  addTopics(topics: readonly string[], needsAllTopics: boolean): Promise<ControlResult<number>>;
  /** Replaces the topics tracked for the caller (null: keeps them) and refreshes metadata. Value: the id of the update that has the answer. */
  refreshMetadata(topics: readonly string[] | null, needsAllTopics: boolean): Promise<ControlResult<number>>;
  /** One call of Admin. The Longs of the answer are plain fields. */
  admin(name: AdminCallName, args: unknown, timeoutMs: number): Promise<ControlResult<unknown>>;
  /**
   * Makes a producer with one application thread attached. Value: its id.
   * @param opening the limit of the memory of all its batches, and the memory of its metrics
   */
  openProducer(config: ProducerConfig, opening: object, link: object): Promise<ControlResult<number>>;
  /** Attaches one more application thread to a producer. */
  attachProducer(producerId: number, link: object): Promise<ControlResult<null>>;
  /** Begins a consumer. The application thread of this link reads it. Value: its id. */
  openConsumer(config: ConsumerConfig, handle: object): Promise<ControlResult<number>>;
  /** Attaches one more application thread to a consumer. */
  attachConsumer(consumerId: number, handle: object): Promise<ControlResult<null>>;
  /** What the network thread, its links, producers and consumers hold. */
  memory(): Promise<ControlResult<ClientMemory>>;
  /**
   * An answer shows that the caller is attached. Value: the scope of its connections.
   * @param threadId Node's number of the caller's thread
   */
  hello(connections: ConnectionChoice, threadId?: number): Promise<ControlResult<number>>;
  /** Whether somebody listens on the diagnostics channels of the thread that started the client. */
  observe(isObserved: boolean): Promise<ControlResult<null>>;
  /** For the owner: closes every connection and ends the network thread. For another attachment: detaches only that one. */
  close(): Promise<ControlResult<null>>;
}

/** A new attachment: its links and its own port for control calls. When the port closes, the attachment's thread has ended. */
export interface NewAttachment<Handle, Port> {
  readonly handle: Handle;
  readonly controlPort: Port;
}

/** The calls that the network thread serves at a control port. */
export interface ServedControl<Handle, Port> extends Control {
  /** Adds one more attachment. */
  attach(attachment: NewAttachment<Handle, Port>): Promise<ControlResult<null>>;
}

/** The data with which the network thread starts. */
export interface NetworkThreadData<Config, Handle, Port, Metrics = object> {
  readonly config: Config;
  readonly counters: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  /** Null: no metrics are recorded. */
  readonly metrics: Metrics | null;
  readonly attachment: Handle;
  readonly controlPort: Port;
  /** The secret values of `config`, by option. They are never in shared memory. */
  readonly secrets: object;
  /** The certificate authorities to trust when none are configured, as PEM. Null: Node's defaults. */
  readonly authorities: readonly string[] | null;
  /** The port at which the application thread's token provider is asked. Null without one. */
  readonly tokenPort: Port | null;
  /** Log records go to the application over this port. It answers when it has taken them. */
  readonly logPort: Port;
  /** Whether somebody listens on the diagnostics channels. */
  readonly isObserved: boolean;
  /** Node's number of the thread that starts this one; 0 for the main thread. */
  readonly threadId: number;
  /** What is opened as soon as the client has started: its code is loaded while connections are made. */
  readonly expects: ExpectedRole | null;
  /** Whether the application may send requests of its own as soon as the client has started, with records in them or in their answers. */
  readonly sendsRequests: boolean;
}

export type ExpectedRole = 'producer' | 'consumer';
