// Owns what an API is to the rest of the client: its key, versions, and passage between plain objects and flat
// messages. Runs on every thread. Must not run an API's generated code before its first use.

import type { FlatMessage } from './flat-view.ts';
import type { FlatWriter } from './flat-writer.ts';

/**
 * One Kafka API. It is light until used: the first call of a method makes the functions for its messages.
 *
 * `Request` and `Response` are what callers give and get: a plain object, and a view that reads lazily. `ResponseData`
 * and `RequestView` are the same for the other end, brokers in tests.
 */
export interface Api<Request = unknown, Response = unknown, ResponseData = unknown, RequestView = unknown>
  extends ApiMessages<Request, Response, ResponseData, RequestView> {
  /** int16, as on the wire. */
  readonly key: number;
  /** Kafka's name for it, such as `Fetch`. */
  readonly name: string;
  /** Versions this client speaks, both included. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields (KIP-482); -1 for none. */
  readonly flexibleVersion: number;
  /** The highest version is a preview that brokers offer only when told to. */
  readonly latestVersionUnstable: boolean;
}

/** The functions of a generated module for its API. */
export interface ApiMessages<Request, Response, ResponseData, RequestView> {
  /** Throws: InvalidRequestError naming API, field, value seen and limit. The bytes written before the error are garbage. */
  writeRequest(w: FlatWriter, request: Request): void;
  readResponse(message: FlatMessage): Response;
  /** Throws: as `writeRequest`. */
  writeResponse(w: FlatWriter, response: ResponseData): void;
  readRequest(message: FlatMessage): RequestView;
}

/** The functions of a generated module for data inside other messages. */
export interface DataMessages<Data, View> {
  /** Throws: InvalidRequestError naming field, value seen and limit. The bytes written before the error are garbage. */
  write(w: FlatWriter, value: Data): void;
  read(message: FlatMessage): View;
}

type ClientMessages<Request, Response> = Pick<
  ApiMessages<Request, Response, never, never>,
  'writeRequest' | 'readResponse'
>;
type BrokerMessages<ResponseData, RequestView> = Pick<
  ApiMessages<never, never, ResponseData, RequestView>,
  'readRequest' | 'writeResponse'
>;

/** An API over its generated module. */
export class GeneratedApi<Request, Response, ResponseData, RequestView>
  implements Api<Request, Response, ResponseData, RequestView>
{
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleVersion: number;
  readonly latestVersionUnstable: boolean;
  readonly #loadForClient: () => ClientMessages<Request, Response>;
  readonly #loadForBroker: () => BrokerMessages<ResponseData, RequestView>;
  #forClient: ClientMessages<Request, Response> | null = null;
  #forBroker: BrokerMessages<ResponseData, RequestView> | null = null;

  constructor(
    key: number,
    name: string,
    versions: { min: number; max: number; flexible: number; latestUnstable?: boolean },
    loadForClient: () => ClientMessages<Request, Response>,
    loadForBroker: () => BrokerMessages<ResponseData, RequestView>,
  ) {
    this.key = key;
    this.name = name;
    this.minVersion = versions.min;
    this.maxVersion = versions.max;
    this.flexibleVersion = versions.flexible;
    this.latestVersionUnstable = versions.latestUnstable ?? false;
    this.#loadForClient = loadForClient;
    this.#loadForBroker = loadForBroker;
  }

  writeRequest(w: FlatWriter, request: Request): void {
    this.#forClient ??= this.#loadForClient();
    this.#forClient.writeRequest(w, request);
  }

  readResponse(message: FlatMessage): Response {
    this.#forClient ??= this.#loadForClient();
    return this.#forClient.readResponse(message);
  }

  writeResponse(w: FlatWriter, response: ResponseData): void {
    this.#forBroker ??= this.#loadForBroker();
    this.#forBroker.writeResponse(w, response);
  }

  readRequest(message: FlatMessage): RequestView {
    this.#forBroker ??= this.#loadForBroker();
    return this.#forBroker.readRequest(message);
  }
}
