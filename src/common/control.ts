// Owns the shape of the rare calls an application thread makes to the network thread, over comlink. Types only.
// comlink keeps only an error's name, message and stack, so results travel as data.

import type { AdminCallName } from './admin/calls.ts';
import type { ConsumerConfig } from './config/consumer-config.ts';
import type { ProducerConfig } from './config/producer-options.ts';
import type { PlainError } from './errors/plain-error.ts';

export type ControlResult<T> = { readonly value: T } | { readonly error: PlainError };

/** API key, lowest and highest version. */
export type ApiVersionRow = readonly [apiKey: number, min: number, max: number];

export interface VersionInfo {
  /** Inferred broker version, e.g. `[4, 4]`. */
  readonly apiVersion: readonly number[];
  readonly apiVersions: readonly ApiVersionRow[];
}

export interface Control {
  /** Finds a usable server; with `apiVersion` configured nobody is asked, and the value tells what such brokers speak. */
  start(): Promise<ControlResult<VersionInfo>>;
  /**
   * Connects to the node and waits until it is ready; retries with backoff until the time is over.
   * @param lane default: the main one
   */
  awaitReady(nodeId: number, timeoutMs: number, lane?: string): Promise<ControlResult<VersionInfo>>;
  /**
   * What the node speaks (null: any node), from its connection or a new one, retrying until the time is over.
   * @param isStrict the first failure ends the call
   * Fails with: NodeNotReadyError, or NoBrokersAvailable for null; UnrecognizedBrokerVersion
   */
  checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean): Promise<ControlResult<VersionInfo>>;
  /** Replaces the topics tracked for the caller, and asks for nothing. */
  trackTopics(topics: readonly string[], needsAllTopics: boolean): Promise<ControlResult<null>>;
  /** Adds to the topics tracked for the caller, and asks for metadata. Value: the update that holds the answer. */
  addTopics(topics: readonly string[], needsAllTopics: boolean): Promise<ControlResult<number>>;
  /** Replaces the topics tracked for the caller (null: leaves them), and asks for metadata. Value: the update that holds the answer. */
  refreshMetadata(topics: readonly string[] | null, needsAllTopics: boolean): Promise<ControlResult<number>>;
  /** One call of Admin; the answer has Longs as plain fields. */
  admin(name: AdminCallName, args: unknown, timeoutMs: number): Promise<ControlResult<unknown>>;
  /**
   * Makes a producer, with one application thread attached. Value: its id.
   * @param batchMemoryBytes what its batches may take together
   */
  openProducer(config: ProducerConfig, batchMemoryBytes: number, link: object): Promise<ControlResult<number>>;
  /** Attaches one more application thread to a producer. */
  attachProducer(producerId: number, link: object): Promise<ControlResult<null>>;
  /** Begins a consumer, read by the application thread whose link this is. Value: its id. */
  openConsumer(config: ConsumerConfig, handle: object): Promise<ControlResult<number>>;
  /** Attaches one more application thread to a consumer. */
  attachConsumer(consumerId: number, handle: object): Promise<ControlResult<null>>;
  /** Answers: the caller is attached. */
  hello(): Promise<ControlResult<null>>;
  /** Closes every connection and ends the network thread's work; of an attachment that is not the owner's, ends that alone. */
  close(): Promise<ControlResult<null>>;
}

/** What an attachment needs beside its links: a port of its own for control calls. Its close tells that its thread has ended. */
export interface NewAttachment<Handle, Port> {
  readonly handle: Handle;
  readonly controlPort: Port;
}

/** What the network thread serves at a control port. */
export interface ServedControl<Handle, Port> extends Control {
  /** Takes in one more attachment. */
  attach(attachment: NewAttachment<Handle, Port>): Promise<ControlResult<null>>;
}

/** What the network thread starts from. */
export interface NetworkThreadData<Config, Handle, Port> {
  readonly config: Config;
  readonly counters: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  /** Null: nothing is recorded. */
  readonly metrics: SharedArrayBuffer | null;
  readonly attachment: Handle;
  readonly controlPort: Port;
  /** What the secrets of `config` hold, by option; it is in no shared memory. */
  readonly secrets: object;
  /** Whom to trust where no authorities are configured, PEM; null: whom Node trusts. */
  readonly authorities: readonly string[] | null;
  /** Where a token provider of the application thread is asked; null without one. */
  readonly tokenPort: Port | null;
  /** Log records travel one way, word that they were taken the other. */
  readonly logPort: Port;
}
