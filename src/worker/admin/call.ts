// Owns one administration call: its deadline, its requests, its backoff. Network thread. Must not know what the call does: the files
// in calls/ do.

import { errorFor } from '../../common/errors/error-for.ts';
import {
  KafkaClientError,
  KafkaConnectionError,
  RequestTimedOutError,
  UnsupportedVersionError,
} from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { DescribeCluster } from '../../protocol/flat/generated/apis.ts';
import { anyBroker, type Destination, mainLane } from '../client/broker-requests.ts';
import { brokerWaitMs } from '../client/broker-wait.ts';
import { endpointTypes } from '../client/metadata-source.ts';
import { type AdminRole, callTimedOut } from './admin-role.ts';

export interface CallSettings {
  /** The name of the call, for errors. */
  readonly name: string;
  /** Limit of the whole call, in ms. */
  readonly timeoutMs: number;
  /** Limit of one request, in ms. */
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly saltPassword: SaltPassword;
  /** The client was started with controllers: what any broker could do is for the active controller (KIP-919). */
  readonly isByControllers?: boolean;
}

/** PBKDF2 that does not wait behind the application's work in the thread pool of the process. */
export type SaltPassword = (salting: {
  readonly hash: 'sha256' | 'sha512';
  readonly password: string;
  readonly salt: Buffer;
  readonly iterations: number;
}) => Promise<Buffer>;

export interface Answered<Response> {
  readonly response: Response;
  /** The version of the response. */
  readonly version: number;
}

export const someBroker: Destination = { brokerId: anyBroker, lane: mainLane };

export function broker(brokerId: number): Destination {
  return { brokerId, lane: mainLane };
}

/** A backoff is longer or shorter by a random part of up to this. */
const jitter = 0.2;

export class Call {
  readonly role: AdminRole;
  readonly settings: CallSettings;
  readonly deadline: number;
  /** How many attempts have failed so far, for the item with the most failures. */
  attempts = 0;
  lastError: Error | null = null;

  constructor(role: AdminRole, settings: CallSettings) {
    this.role = role;
    this.settings = settings;
    this.deadline = role.now + settings.timeoutMs;
  }

  /** How many ms one request may take, at least 1. */
  get requestLimitMs(): number {
    return Math.max(1, Math.floor(Math.min(this.settings.requestTimeoutMs, this.deadline - this.role.now)));
  }

  /** How many ms a broker may wait with its answer. Requests send this to brokers: for whoever takes longer, nobody waits. */
  get brokerWaitMs(): number {
    return brokerWaitMs(this.requestLimitMs);
  }

  get isOver(): boolean {
    return this.role.now >= this.deadline;
  }

  /**
   * Sends one request when its destination is ready.
   * Rejects with KafkaTimeoutError when the call's time is over before that, with UnsupportedVersionError, or with the request's error.
   */
  async send<Request, Response>(
    to: Destination,
    api: Api<Request, Response>,
    request: Request,
    versions: { readonly minVersion?: number; readonly maxVersion?: number } = {},
  ): Promise<Answered<Response>> {
    const isForActive = to === someBroker && this.isByControllers;
    return this.#sendTo(isForActive ? await this.#activeController() : to, api, request, versions);
  }

  get isByControllers(): boolean {
    return this.settings.isByControllers === true;
  }

  /** As a controller names it now. If none does, any of them is asked, which answers that it is not the active one. */
  async #activeController(): Promise<Destination> {
    const request = { includeClusterAuthorizedOperations: false, endpointType: endpointTypes.controllers };
    const { response } = await this.#sendTo(someBroker, DescribeCluster, request, { minVersion: 1 });
    const { errorCode, controllerId } = response;
    if (errorCode === errorCodes.MISMATCHED_ENDPOINT_TYPE) throw errorFor(errorCode)!;
    return controllerId < 0 ? someBroker : broker(controllerId);
  }

  async #sendTo<Request, Response>(
    to: Destination,
    api: Api<Request, Response>,
    request: Request,
    versions: { readonly minVersion?: number; readonly maxVersion?: number },
  ): Promise<Answered<Response>> {
    this.role.checkOpen();
    const { requests } = this.role.host;
    const isReady = await this.role.until(
      (now) => requests.isReady(to, now),
      this.deadline,
      (now) => requests.readyAt(to, now),
    );
    if (!isReady) throw this.timedOut(requests.lastError(to) ?? this.lastError);
    return new Promise((resolve, reject) => {
      requests.send(
        {
          to,
          api,
          request,
          ...versions,
          timeoutMs: this.requestLimitMs,
          onResponse: (response, version) => resolve({ response: response as Response, version }),
          onFailure: reject,
        },
        this.role.now,
      );
    });
  }

  /** Sends a request of an API whose newer versions have other fields. Brokers below `newerSince` get `older`. */
  async sendEither<Request, Response>(
    to: Destination,
    api: Api<Request, Response>,
    requests: { readonly newerSince: number; readonly newer: Request; readonly older: Request },
    { maxVersion }: { readonly maxVersion?: number } = {},
  ): Promise<Answered<Response>> {
    const { newerSince, newer, older } = requests;
    try {
      return await this.send(to, api, newer, {
        minVersion: newerSince,
        ...(maxVersion !== undefined && { maxVersion }),
      });
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError)) throw error;
      return this.send(to, api, older, { maxVersion: newerSince - 1 });
    }
  }

  /** Waits before the next attempt. Rejects with KafkaTimeoutError when the call's time is over before that. */
  async backOff(error: Error | null): Promise<void> {
    this.attempts++;
    this.lastError = error ?? this.lastError;
    const { retryBackoffMs, retryBackoffMaxMs } = this.settings;
    const meanMs = Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(this.attempts - 1, 20));
    await this.sleep(meanMs * (1 - jitter + 2 * jitter * this.role.host.random()));
  }

  /** Waits for `ms`. Rejects with KafkaTimeoutError when the call's time is over before that. */
  async sleep(ms: number): Promise<void> {
    const at = this.role.now + ms;
    const isAwake = await this.role.until(
      (now) => now >= at,
      this.deadline,
      () => at,
    );
    if (!isAwake) throw this.timedOut(this.lastError);
  }

  timedOut(cause: Error | null): Error {
    return callTimedOut(this.settings.name, this.settings.timeoutMs, this.attempts + 1, cause);
  }
}

/** Whether a request that failed with this error may be sent again. */
export function isRetriableFailure(error: unknown): boolean {
  return error instanceof KafkaClientError && error.retriable && !(error instanceof UnsupportedVersionError);
}

/** Whether the broker may have executed a request that failed with this error. */
export function mayHaveArrived(error: unknown): boolean {
  return error instanceof KafkaConnectionError || error instanceof RequestTimedOutError;
}
