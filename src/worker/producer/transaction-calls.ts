// Owns the sending of a transaction's requests: one at a time, to the right coordinator, with retries. Network thread. Must not know
// the transaction's state: the caller decides what follows from an answer.

import { errorFor, KafkaClientError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { missingInAnswer } from '../../common/errors/missing-in-answer.ts';
import type { Api } from '../../protocol/flat/api.ts';
import type { RoleHost } from '../client/role.ts';
import { Coordinators, type CoordinatorType } from './coordinators.ts';
import { isRetriable, type TransactionAction, type TransactionCall, transactionAction } from './transaction-errors.ts';

/** The lane of transactions, so that their requests do not wait behind others. */
const transactionLane = 'txn';
/** The retry wait while the markers of the last transaction are written. That takes only a moment. */
const concurrentRetryMs = 20;
/** The order of actions, worst first. The worst action of all partitions is taken. */
const severity: readonly TransactionAction[] = ['fenced', 'fatal', 'restart', 'abort', 'find', 'retry', 'done'];

export interface CallSettings {
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** An error code in a part of an answer. */
export interface Code {
  readonly errorCode: number;
  readonly topic?: string;
  readonly partition?: number;
}

export interface AskedPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface CoordinatorCall<Request, Response> {
  readonly call: TransactionCall;
  readonly coordinator: { readonly type: CoordinatorType; readonly key: string };
  readonly api: Api<Request, Response>;
  readonly request: Request;
  readonly minVersion?: number;
  readonly maxVersion?: number;
  readonly canBump: boolean;
  readonly isCommit?: boolean;
  /** For EndTxn: it is not known that the coordinator knows the transaction. */
  readonly isInDoubt?: boolean;
  /** True if nothing was added to the transaction yet. If the coordinator is still ending the last transaction, it is asked again soon. */
  readonly isFirst?: boolean;
  codes(response: Response): readonly Code[];
  /** The partitions that the answer must have. Default: none. */
  readonly asked?: readonly AskedPartition[];
  onDone(response: Response, now: number): void;
  /** `action` is none of done, retry and find. */
  onRefused(action: TransactionAction, error: Error, now: number): void;
}

export class TransactionCalls {
  readonly coordinators: Coordinators;
  /** The time at which a request can be sent again even if nothing happens, in ms on the monotonic clock. */
  nextDeadline = Number.POSITIVE_INFINITY;
  readonly #host: RoleHost;
  readonly #settings: CallSettings;
  #isAsking = false;
  #failures = 0;
  #retryAt = 0;

  constructor(
    host: RoleHost,
    settings: CallSettings,
    onCoordinatorRefused: (type: CoordinatorType, key: string, error: Error, now: number) => void,
  ) {
    this.#host = host;
    this.#settings = settings;
    const search = {
      requestTimeoutMs: settings.requestTimeoutMs,
      backoffMs: (failures: number) => this.#backoffMs(failures),
    };
    this.coordinators = new Coordinators(host, search, isRetriable, (type, key, errorCode, now) =>
      onCoordinatorRefused(type, key, errorFor(errorCode)!, now),
    );
  }

  /** Whether a request is under way. Then no other one can be sent. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Sends the request if its coordinator is known and ready. Otherwise starts a look-up or a connection. */
  ask<Request, Response>(call: CoordinatorCall<Request, Response>, now: number): void {
    if (this.#isAsking) return;
    if (now < this.#retryAt) {
      this.nextDeadline = this.#retryAt;
      return;
    }
    const { requests } = this.#host;
    const { type, key } = call.coordinator;
    const brokerId = this.coordinators.find(type, key, now);
    if (brokerId < 0) {
      this.nextDeadline = this.coordinators.readyAt(type, key, now);
      return;
    }
    const to = { brokerId, lane: transactionLane };
    if (!requests.isReady(to, now)) {
      const readyAt = requests.readyAt(to, now);
      if (readyAt > now) this.nextDeadline = readyAt;
      // A broker that cannot be reached may not be the coordinator any more.
      if (requests.lastError(to) !== null) this.coordinators.forget(type, key);
      return;
    }
    this.#isAsking = true;
    requests.send<Request, Response>(
      {
        to,
        api: call.api,
        request: call.request,
        ...(call.minVersion !== undefined && { minVersion: call.minVersion }),
        ...(call.maxVersion !== undefined && { maxVersion: call.maxVersion }),
        timeoutMs: this.#settings.requestTimeoutMs,
        onResponse: (response, _version, at) => {
          this.#isAsking = false;
          this.#answered(call, response as Response, at);
          this.#host.wake();
        },
        onFailure: (error, at) => {
          this.#isAsking = false;
          this.coordinators.forget(type, key);
          if (error instanceof KafkaClientError && error.retriable) this.#again(at);
          else call.onRefused('fatal', error, at);
          this.#host.wake();
        },
      },
      now,
    );
  }

  #answered<Request, Response>(call: CoordinatorCall<Request, Response>, response: Response, now: number): void {
    let worst: { action: TransactionAction; code: Code } | null = null;
    const codes = call.codes(response);
    for (const code of codes) {
      const action = transactionAction(call.call, code.errorCode, call.canBump, call.isCommit, call.isInDoubt);
      if (worst === null || severity.indexOf(action) < severity.indexOf(worst.action)) worst = { action, code };
    }
    const { action, code } = worst ?? { action: 'done' as const, code: { errorCode: 0 } };
    const missing = action === 'done' ? firstMissing(call.asked, codes) : undefined;
    if (missing !== undefined) {
      // Whether it is done is not known, so the transaction must not be committed.
      const { topic, partition } = missing;
      const error = missingInAnswer(call.api, `partition ${partition} of topic '${topic}'`, missing);
      call.onRefused('abort', error, now);
    } else if (action === 'done') {
      this.#failures = 0;
      call.onDone(response, now);
    } else if (action === 'find' || action === 'retry') {
      if (action === 'find') this.coordinators.forget(call.coordinator.type, call.coordinator.key);
      if (code.topic !== undefined) this.#host.cluster.requestUpdate();
      if (code.errorCode === errorCodes.CONCURRENT_TRANSACTIONS && call.isFirst === true)
        this.#retryAt = now + concurrentRetryMs;
      else this.#again(now);
    } else {
      const { errorCode: _code, ...details } = code;
      call.onRefused(action, errorFor(code.errorCode, details)!, now);
    }
  }

  #again(now: number): void {
    this.#retryAt = now + this.#backoffMs(this.#failures);
    this.#failures++;
  }

  #backoffMs(failures: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#settings;
    return (
      Math.min(retryBackoffMs * 2 ** Math.min(failures, 30), retryBackoffMaxMs) * (0.8 + 0.4 * this.#host.random())
    );
  }
}

function firstMissing(
  asked: readonly AskedPartition[] | undefined,
  codes: readonly Code[],
): AskedPartition | undefined {
  if (asked === undefined) return undefined;
  const keyOf = ({ topic, partition }: Partial<AskedPartition>): string => `${partition} ${topic}`;
  const answered = new Set(codes.map(keyOf));
  return asked.find((one) => !answered.has(keyOf(one)));
}
