// Owns what an API of the embedded broker is: its place beside the client's own Api object, and what it is given. Runs
// in the broker's thread. Must not know sockets.

import type { Api } from '../protocol/flat/api.ts';
import type { ClusterNode, ClusterState } from './cluster-state.ts';
import type { VersionRange } from './options.ts';

/** How far the login of a connection is. */
export interface LoginState {
  /** The broker wants a login, and there was none so far. */
  isDue: boolean;
  /** ApiVersions was answered without an error. */
  hasAskedForVersions: boolean;
}

/** One request on its way through a handler. */
export interface RequestContext {
  readonly cluster: ClusterState;
  /** The node that was asked. */
  readonly node: ClusterNode;
  readonly version: number;
  readonly clientId: string | null;
  readonly login: LoginState;
  /** What ApiVersions announces. */
  readonly ranges: ReadonlyMap<number, VersionRange>;
  /** Stands for stored bytes in a records field of the answer, so that they are written without being copied. */
  attach(slices: readonly Buffer[]): Uint8Array;
  /** Calls `closed` when the connection ends before the answer; the returned function forgets it. */
  onClosed(closed: () => void): () => void;
}

/** What a broker does with one API. */
export interface ApiHandler<Request, Response> {
  readonly api: Api<unknown, unknown, Response, Request>;
  /** The answer; null for none; `close` to end the connection instead. */
  handle(context: RequestContext, request: Request): HandlerResult<Response> | Promise<HandlerResult<Response>>;
  /** The answer with `errorCode` in every place it has for one. */
  failure(context: RequestContext, request: Request, errorCode: number): Response;
}

export type HandlerResult<Response> = Response | null | 'close';

/** Handlers of different APIs in one list. */
export interface AnyHandler {
  readonly api: Api;
  handle(context: RequestContext, request: unknown): HandlerResult<object> | Promise<HandlerResult<object>>;
  failure(context: RequestContext, request: unknown, errorCode: number): object;
}
