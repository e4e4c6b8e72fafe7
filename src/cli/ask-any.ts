// Owns a request that any broker can answer: to a connection that is there already, and to another one if that is lost. Main thread.

import { monotonicNowMs } from '../common/clock.ts';
import type { Api, KafkaClient } from '../index.ts';
import type { Context } from './context.ts';

/** Fails with: the error of the request when it is final, or when the time of the command is over; Interrupted */
export async function askAny<Request, Response>(
  context: Context,
  client: KafkaClient,
  api: Api<Request, Response>,
  request: Request,
): Promise<Response> {
  const deadline = monotonicNowMs() + context.timeoutMs;
  for (;;) {
    const timeoutMs = Math.max(1, Math.ceil(deadline - monotonicNowMs()));
    try {
      const nodeId = client.leastLoadedNode() ?? client.cluster.brokers()[0]?.nodeId ?? firstServer;
      if (!client.isReady(nodeId)) await client.awaitReady(nodeId, { timeoutMs, signal: context.signal });
      return await client.send(nodeId, api, request, { timeoutMs, signal: context.signal });
    } catch (error) {
      context.checkSignal();
      if ((error as { retriable?: unknown }).retriable !== true || monotonicNowMs() >= deadline) throw error;
      const { setTimeout: wait } = await import('node:timers/promises');
      await wait(backoffMs);
    }
  }
}

const backoffMs = 100;
/** The node id of the first bootstrap server. */
const firstServer = -1;
