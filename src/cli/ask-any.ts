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
      const nodeId = connectedNode(client) ?? client.cluster.brokers()[0]?.nodeId ?? firstServer;
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
/** The node id of the first bootstrap server; the second one has -2. */
const firstServer = -1;

/** A broker that can be asked at once; after the start of a client, only the server that has told its version. */
function connectedNode(client: KafkaClient): number | null {
  const least = client.leastLoadedNode();
  if (least !== null && client.isReady(least)) return least;
  const server = client.config.bootstrapServers.findIndex((_, i) => client.isReady(firstServer - i));
  return server < 0 ? least : firstServer - server;
}
