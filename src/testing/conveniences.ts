// Owns what every embedded broker offers on top of its actions: rules from functions, waiting for a state. Runs in the
// test's thread.

import type { ApiLike, BrokerActions, DecideFunction, EmbeddedBroker, NodeDescription, RuleHandle } from './actions.ts';
import type { RuleOptions } from './control.ts';
import type { Reply } from './reply.ts';
import { waitFor } from './wait-for.ts';

type FunctionRule = (apiKey: number, decide: DecideFunction, options: RuleOptions | undefined) => Promise<number>;

/** What `addConveniences` builds upon. */
export interface BrokerParts {
  readonly actions: BrokerActions;
  readonly nodes: readonly NodeDescription[];
  readonly addFunctionRule: FunctionRule;
  close(): Promise<void>;
}

export function addConveniences(parts: BrokerParts): EmbeddedBroker {
  const { actions, nodes } = parts;
  return {
    ...actions,
    nodes,
    bootstrapServers: nodes.map(({ host, port }) => `${host}:${port}`),
    control: <Body>(api: ApiLike, reply: Reply | DecideFunction<Body>, options?: RuleOptions) =>
      control(parts, keyOf(api), reply as Reply | DecideFunction, options),
    fail: (api, errorCode, times = 1, options) => control(parts, keyOf(api), { errorCode }, { ...options, times }),
    delay: (api, delayMs, times = 1, options) => control(parts, keyOf(api), { delayMs }, { ...options, times }),
    dropConnection: (api, when, times = 1, options) =>
      control(parts, keyOf(api), { answer: when === 'before' ? 'reset' : 'resetAfter' }, { ...options, times }),
    waitForHeld: async (gate, count = 1) => {
      await waitFor(`${count} requests held at ${gate}`, async () => (await actions.held(gate)) >= count);
    },
    waitForRequests: async (api, count, nodeId) => {
      const apiKey = keyOf(api);
      await waitFor(`${count} requests of API ${apiKey}`, async () => {
        const { requests, requestsByNode } = await actions.stats();
        const arrived = nodeId === undefined ? requests[apiKey] : requestsByNode[nodeId]?.[apiKey];
        return (arrived ?? 0) >= count;
      });
    },
    waitForConnections: async (count, nodeId) => {
      await waitFor(`${count} open connections`, async () => {
        const { openConnections, openByNode } = await actions.stats();
        return (nodeId === undefined ? openConnections : (openByNode[nodeId] ?? 0)) === count;
      });
    },
    close: () => parts.close(),
  };
}

function keyOf(api: ApiLike): number {
  return typeof api === 'number' ? api : api.key;
}

async function control(
  { actions, addFunctionRule }: BrokerParts,
  apiKey: number,
  reply: Reply | DecideFunction,
  options: RuleOptions | undefined,
): Promise<RuleHandle> {
  const id =
    typeof reply === 'function'
      ? await addFunctionRule(apiKey, reply, options)
      : await actions.addRule(apiKey, reply, options);
  return {
    id,
    uses: () => actions.ruleUses(id),
    remove: async () => {
      await actions.removeRule(id);
    },
  };
}
