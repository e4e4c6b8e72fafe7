// Owns what the broker's thread does when it has its code: an embedded cluster, and the answering of calls from the test's thread. thread.ts
// loads it.

import type { MessagePort } from 'node:worker_threads';
import { fromPlainError, toPlainError } from '../common/errors/plain-error.ts';
import { actionNames } from './actions.ts';
import { BrokerCluster } from './broker-cluster.ts';
import type { ControlledRequest } from './control.ts';
import type { EarlyListener } from './early-listeners.ts';
import type { Command, Report } from './messages.ts';
import type { EmbeddedBrokerOptions } from './options.ts';
import type { Reply } from './reply.ts';

interface Deciding {
  resolve(reply: Reply | undefined): void;
  reject(error: Error): void;
}

let port: MessagePort;
let cluster: BrokerCluster;
const deciding = new Map<number, Deciding>();
const knownActions: ReadonlySet<string> = new Set(actionNames);
let nextDecision = 1;

/**
 * Starts the cluster and answers from then on. Calls that have come before wait in the port.
 * @param early the listeners of its nodes, whose addresses were reported already; null: they are reported here
 */
export async function serveCluster(
  parent: MessagePort,
  options: EmbeddedBrokerOptions,
  early: readonly EarlyListener[] | null,
): Promise<void> {
  port = parent;
  cluster = await BrokerCluster.start(options, early ?? []);
  if (early === null) report({ type: 'ready', nodes: await cluster.describeNodes() });
  port.on('message', (command: Command) => {
    switch (command.type) {
      case 'decided':
        take(command.id).resolve(command.reply);
        return;
      case 'undecided':
        take(command.id).reject(fromPlainError(command.error));
        return;
      default:
        void run(command);
    }
  });
}

async function run(command: Exclude<Command, { type: 'decided' | 'undecided' }>): Promise<void> {
  const { id } = command;
  try {
    report({ type: 'result', id, value: await perform(command) });
  } catch (error) {
    report({ type: 'error', id, error: toPlainError(error) });
  }
}

function perform(command: Exclude<Command, { type: 'decided' | 'undecided' }>): unknown {
  switch (command.type) {
    case 'close':
      return cluster.close();
    case 'addFunctionRule': {
      const { apiKey, functionId, options } = command;
      return cluster.rules.add(apiKey, (request) => askTest(functionId, request), options);
    }
    case 'call': {
      if (!knownActions.has(command.name)) throw new Error(`no action ${command.name}`);
      const action = cluster[command.name as (typeof actionNames)[number]] as (...args: readonly unknown[]) => unknown;
      return action.apply(cluster, [...command.args]);
    }
  }
}

function askTest(functionId: number, request: ControlledRequest): Promise<Reply | undefined> {
  const { body: _body, flat, ...rest } = request;
  const bytes = flat.u8.slice(flat.base, flat.base + flat.byteLength);
  const id = nextDecision++;
  return new Promise((resolve, reject) => {
    deciding.set(id, { resolve, reject });
    report({ type: 'decide', id, functionId, request: { ...rest, bytes } });
  });
}

function take(id: number): Deciding {
  const waiting = deciding.get(id);
  if (waiting === undefined) throw new Error(`nobody waits for decision ${id}`);
  deciding.delete(id);
  return waiting;
}

function report(message: Report): void {
  port.postMessage(message);
}
