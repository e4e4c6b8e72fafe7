// Owns the test's side of an embedded broker that runs in a thread of its own: its start and end, calls, and the test's
// functions that decide about requests. Runs in the test's thread.

import { Worker } from 'node:worker_threads';
import { fromPlainError, toPlainError } from '../common/errors/plain-error.ts';
import type { Api } from '../protocol/flat/api.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { allApis } from '../protocol/flat/generated/apis.ts';
import { loadBrokerMessages, loadMessages } from '../protocol/flat/late-messages.ts';
import { actionNames, type BrokerActions, type DecideFunction, type NodeDescription } from './actions.ts';
import type { RuleOptions } from './control.ts';
import type { BrokerParts } from './conveniences.ts';
import type { Command, Report, ThreadData, TravellingRequest } from './messages.ts';
import type { EmbeddedBrokerOptions } from './options.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type WithoutId<C> = C extends { id: number } ? Omit<C, 'id'> : never;
type Call = WithoutId<Extract<Command, { type: 'call' | 'addFunctionRule' | 'close' }>>;

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export class ThreadedBroker implements BrokerParts {
  readonly actions: BrokerActions;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #functions = new Map<number, DecideFunction>();
  readonly #exited: Promise<void>;
  #nodes: readonly NodeDescription[] = [];
  #nextId = 1;
  #failure: unknown = null;
  #hasExited = false;
  #closing: Promise<void> | null = null;
  #ready: Pending | null = null;

  private constructor(options: EmbeddedBrokerOptions) {
    const workerData: ThreadData = { options };
    // A worker inherits the flags of its process, and one that is started from a file refuses this one.
    const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--input-type'));
    this.#worker = new Worker(new URL(`./thread${suffix}`, import.meta.url), { workerData, execArgv });
    this.actions = Object.fromEntries(
      actionNames.map((name) => [name, (...args: unknown[]) => this.#call({ type: 'call', name, args })]),
    ) as unknown as BrokerActions;
    this.#worker.on('message', (report: Report) => this.#report(report));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#hasExited = true;
        this.#fail(new Error(`the thread of the embedded broker has ended with code ${code}`));
        resolve();
      });
    });
  }

  static async start(options: EmbeddedBrokerOptions): Promise<ThreadedBroker> {
    await Promise.all([loadMessages(), loadBrokerMessages()]);
    const broker = new ThreadedBroker(options);
    await new Promise<unknown>((resolve, reject) => {
      broker.#ready = { resolve, reject };
    });
    // A test that forgets to close it must not hang; while a call is pending the thread does hold the process.
    broker.#worker.unref();
    return broker;
  }

  get nodes(): readonly NodeDescription[] {
    return this.#nodes;
  }

  readonly addFunctionRule = async (
    apiKey: number,
    decide: DecideFunction,
    options: RuleOptions | undefined,
  ): Promise<number> => {
    const functionId = this.#nextId++;
    this.#functions.set(functionId, decide);
    return (await this.#call({ type: 'addFunctionRule', apiKey, functionId, options })) as number;
  };

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (this.#failure !== null) throw this.#failure;
      await this.#call({ type: 'close' });
    } finally {
      if (!this.#hasExited) {
        this.#worker.ref();
        await this.#worker.terminate();
        await this.#exited;
      }
    }
  }

  async #call(call: Call): Promise<unknown> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextId++;
    this.#post({ ...call, id });
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
      });
    } finally {
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#worker.unref();
    }
  }

  #report(report: Report): void {
    switch (report.type) {
      case 'ready':
        this.#nodes = report.nodes;
        this.#ready?.resolve(undefined);
        return;
      case 'result':
        this.#pending.get(report.id)?.resolve(report.value);
        return;
      case 'error':
        this.#pending.get(report.id)?.reject(fromPlainError(report.error));
        return;
      case 'decide':
        void this.#decide(report.id, report.functionId, report.request);
    }
  }

  async #decide(id: number, functionId: number, request: TravellingRequest): Promise<void> {
    try {
      const { bytes, ...rest } = request;
      const i32 = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
      const flat = { i32, u8: bytes, base: 0, byteLength: bytes.byteLength };
      const api = allApis.find(({ key }) => key === request.apiKey) as Api | undefined;
      const body = api?.readRequest(new FlatMessage(flat));
      this.#post({ type: 'decided', id, reply: await this.#functions.get(functionId)!({ ...rest, body, flat }) });
    } catch (error) {
      this.#post({ type: 'undecided', id, error: toPlainError(error) });
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#ready?.reject(this.#failure);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
  }

  #post(command: Command): void {
    this.#worker.postMessage(command);
  }
}
