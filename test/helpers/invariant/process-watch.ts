// Owns the watch over what Node itself gives a test: threads, servers, handles, ports, shared memory, rejections that nobody
// handled. It changes Node's own classes, so it must be loaded before what uses them. Test thread. Must not know the client.

import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { inspect } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import workerThreads, { type MessagePort, type Worker } from 'node:worker_threads';
import { isKept } from './open-things.ts';

/** Shared memory that was made here, as long as it is used. */
export interface WatchedMemory {
  readonly reference: WeakRef<SharedArrayBuffer>;
  readonly bytes: number;
  /** Whether the client's own code made it. */
  readonly isOfClient: boolean;
}

export const liveThreads = new Map<Worker, string>();
export const listeningServers = new Set<net.Server>();
export const liveProcesses = new Set<childProcess.ChildProcess>();
export const unhandledRejections: unknown[] = [];
const ports = new Set<WeakRef<MessagePort>>();
let memory: WatchedMemory[] = [];
let collect: (() => void) | null = null;

/** Begins the watch. */
export function watchProcess(): void {
  watchThreads();
  watchServers();
  watchProcesses();
  watchPorts();
  watchMemory();
  syncBuiltinESMExports();
  process.on('unhandledRejection', (reason) => unhandledRejections.push(reason));
}

/** Handles that keep this process alive, but for ports: those of threads come and go with what is under way. */
export function activeHandles(): ReadonlySet<object> {
  const { _getActiveHandles: list } = process as unknown as { _getActiveHandles(): object[] };
  return new Set(list.call(process).filter((handle) => !isOfProcess(handle)));
}

/** Ports of channels made here that are neither closed nor with another thread. */
export function openPorts(): ReadonlySet<MessagePort> {
  const open = new Set<MessagePort>();
  for (const reference of ports) {
    const port = reference.deref();
    if (port !== undefined && isActive(port)) open.add(port);
    else ports.delete(reference);
  }
  return open;
}

/** Shared memory that is still used, made since the last call of `forgetMemory`. */
export function memoryInUse(): readonly WatchedMemory[] {
  memory = memory.filter(({ reference }) => {
    const buffer = reference.deref();
    return buffer !== undefined && !isKept(buffer);
  });
  return memory;
}

export function forgetMemory(): void {
  memory = [];
}

/** A full collection of garbage. */
export function collectGarbage(): void {
  if (collect === null) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as () => void;
  }
  collect();
}

function watchThreads(): void {
  const original = workerThreads.Worker;
  workerThreads.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof original>) {
      super(...args);
      liveThreads.set(this, args[1]?.name ?? String(args[0]).slice(-80));
      this.once('exit', () => liveThreads.delete(this));
    }
  };
}

function watchServers(): void {
  const original = net.Server.prototype.listen;
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    listeningServers.add(this);
    this.once('close', () => listeningServers.delete(this));
    return Reflect.apply(original, this, args) as net.Server;
  } as typeof original;
}

function watchProcesses(): void {
  const original = childProcess.spawn;
  childProcess.spawn = ((...args: unknown[]) => {
    const child = Reflect.apply(original, childProcess, args) as childProcess.ChildProcess;
    if (child.pid !== undefined) {
      liveProcesses.add(child);
      child.once('exit', () => liveProcesses.delete(child));
    }
    return child;
  }) as typeof original;
}

function watchPorts(): void {
  const original = workerThreads.MessageChannel;
  workerThreads.MessageChannel = class extends original {
    constructor() {
      super();
      ports.add(new WeakRef(this.port1));
      ports.add(new WeakRef(this.port2));
    }
  };
}

/** A proxy, so that `instanceof` knows memory of other threads, too. */
function watchMemory(): void {
  globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
    construct(target, args, newTarget) {
      const buffer = Reflect.construct(target, args, newTarget) as SharedArrayBuffer;
      const isOfClient = /\/src\/main\//.test(new Error().stack ?? '');
      memory.push({ reference: new WeakRef(buffer), bytes: buffer.byteLength, isOfClient });
      return buffer;
    },
  });
}

/** Node has no other way to ask. */
function isActive(port: MessagePort): boolean {
  return /active: true/.test(inspect(port));
}

/** Standard streams and the channel to a parent are not a test's. Ports are watched by themselves. */
function isOfProcess(handle: object): boolean {
  if (handle instanceof workerThreads.MessagePort) return true;
  const { fd } = handle as { fd?: unknown };
  return fd === 0 || fd === 1 || fd === 2 || handle === process.channel;
}
