// Owns the sending of the main job: waits until a node takes a request, retries, and counts faults. Main thread.

import { setTimeout as delay } from 'node:timers/promises';
import {
  type Api,
  errorFor,
  type KafkaClient,
  KafkaClientError,
  KafkaConnectionError,
  NodeNotReadyError,
  RequestTimedOutError,
  RingFullError,
} from '../../src/index.ts';
import { JobError } from './job-error.ts';

/** How long a step may fail before the job gives up. */
export const patienceMs = 60_000;
const retryPauseMs = 100;
const readyPauseMs = 20;
const readyTimeoutMs = 2000;

export interface Faults {
  /** How many requests had no response in time. */
  timedOut: number;
  /** How many requests failed because their connection ended. */
  disconnected: number;
  /** How many requests were sent again. */
  retried: number;
}

export class Requester {
  readonly client: KafkaClient;
  readonly faults: Faults = { timedOut: 0, disconnected: 0, retried: 0 };

  constructor(client: KafkaClient) {
    this.client = client;
  }

  /** Notes a failed request. Returns whether it may be sent again. */
  note(error: unknown): boolean {
    if (error instanceof RequestTimedOutError) this.faults.timedOut++;
    if (error instanceof KafkaConnectionError) this.faults.disconnected++;
    return error instanceof KafkaClientError && error.retriable;
  }

  /**
   * Sends when the node takes requests.
   * Rejects with the request's error, or with NodeNotReadyError when the node takes no requests for a while. The caller can then look for
   * another node.
   */
  async send<Request, Response>(nodeId: number, api: Api<Request, Response>, request: Request): Promise<Response> {
    const deadline = performance.now() + readyTimeoutMs;
    while (!this.client.ready(nodeId)) {
      if (performance.now() > deadline) throw new NodeNotReadyError(`node ${nodeId} takes no requests`, { nodeId });
      // Ends early when a response makes room.
      await this.client.poll(readyPauseMs);
    }
    return this.client.send(nodeId, api, request);
  }

  /**
   * Calls `attempt` until it succeeds, and refreshes metadata between attempts.
   * Throws an error that cannot be retried at once, and any error after `patienceMs`.
   */
  async persist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const isRetriable = this.note(error);
        if (!isRetriable) throw error;
        if (performance.now() > deadline) {
          throw new JobError(`${what}: no success within ${patienceMs / 1000} s`, { cause: error });
        }
        if (!wasNotSent(error)) this.faults.retried++;
        if ((error as KafkaClientError).invalidMetadata) await this.refreshMetadata();
        await delay(retryPauseMs);
      }
    }
  }

  /** Refreshes metadata. A failure is ignored, because the next attempt refreshes again. */
  async refreshMetadata(): Promise<void> {
    try {
      await this.client.refreshMetadata();
    } catch (error) {
      if (!this.note(error)) throw error;
    }
  }

  /** A node for requests that every node can answer. */
  anyNode(): number {
    const nodeId = this.client.leastLoadedNode();
    if (nodeId === null) throw new NodeNotReadyError('every node is backing off');
    return nodeId;
  }
}

/** Throws the error of an error code in a response. */
export function checkCode(code: number): void {
  const error = errorFor(code);
  if (error !== null) throw error;
}

/** Whether the request was not sent. Then it can be sent again without harm. */
export function wasNotSent(error: unknown): boolean {
  return error instanceof NodeNotReadyError || error instanceof RingFullError;
}
