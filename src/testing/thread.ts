// Owns the broker's thread: an embedded cluster, and the answering of calls from the test's thread. This is the file that
// threaded-broker.ts starts as a worker.

import { parentPort, workerData } from 'node:worker_threads';
import { fromPlainError, toPlainError } from '../common/errors/plain-error.ts';
import { actionNames } from './actions.ts';
import { BrokerCluster } from './broker-cluster.ts';
import type { ControlledRequest } from './control.ts';
import type { Command, Report, ThreadData } from './messages.ts';
import type { Reply } from './reply.ts';

interface Deciding {
  resolve(reply: Reply | undefined): void;
  reject(error: Error): void;
}

if (parentPort === null) throw new Error('thread.ts runs as a worker only');
const port = parentPort;
const cluster = await BrokerCluster.start((workerData as ThreadData).options);
const deciding = new Map<number, Deciding>();
const knownActions: ReadonlySet<string> = new Set(actionNames);
let nextDecision = 1;

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
report({ type: 'ready', nodes: await cluster.describeNodes() });

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
