// Owns the invariant that holds after every test: what a client accepted is succeeded, failed or open, and what a test has opened is
// closed: clients, threads, servers, processes, sockets, ports, shared memory. Test thread. It waits for each condition; the limit is
// only for what never comes.

import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { isOfFile, listOpenThings } from './open-things.ts';
import {
  activeHandles,
  collectGarbage,
  forgetMemory,
  listeningServers,
  liveProcesses,
  liveThreads,
  memoryInUse,
  openPorts,
  unhandledRejections,
} from './process-watch.ts';

/** As client-watch.ts knows them. */
interface Client {
  problems(): string[];
  readonly isClosed: boolean;
  readonly isCollected: boolean;
  toldOf(): void;
}

interface Snapshot {
  readonly clients: ReadonlySet<Client>;
  readonly things: ReadonlySet<object>;
  /** Whether a client or a server of other tests, too, is there: its connections may begin in any test. */
  readonly isShared: boolean;
}

const nothing: Snapshot = { clients: new Set(), things: new Set(), isShared: false };
/** A test of this check sets a short one. */
const limitMs = Number(process.env.INVARIANT_LIMIT_MS ?? 30_000);
/** Of garbage, for a client that the test may still have. */
const maxCollections = 3;
/** Tests put others in their place. */
const { setTimeout: startTimer } = globalThis;
const clock = performance.now.bind(performance);

export class Invariant {
  readonly #clients: () => readonly Client[];
  #running = 0;
  /** What was there when the first of the running tests began. */
  #before: Snapshot = nothing;

  constructor(clients: () => readonly Client[]) {
    this.#clients = clients;
  }

  testBegins(): void {
    if (this.#running++ === 0) this.#before = this.#snapshot();
  }

  /** Of tests that run at the same time, and of a test and its subtests, the last one answers for all. */
  async testEnds(): Promise<void> {
    if (--this.#running > 0) return;
    await this.#nothingLeft(this.#before);
  }

  /** What hooks of the file have opened is closed, too. */
  async fileEnds(): Promise<void> {
    await this.#nothingLeft(nothing);
    if (unhandledRejections.length > 0)
      throw new Error(`nobody handled ${unhandledRejections.length} rejections: ${inspect(unhandledRejections)}`);
  }

  #snapshot(): Snapshot {
    forgetMemory();
    const clients = new Set(this.#clients());
    const isShared = listeningServers.size > 0 || [...clients].some(({ isClosed }) => !isClosed);
    return { clients, things: new Set(openThings().keys()), isShared };
  }

  async #nothingLeft(before: Snapshot): Promise<void> {
    await this.#until(() => this.#problems(before));
    if (await this.#areCollected(before)) await this.#until(memoryProblems, collectGarbage);
  }

  /** Whether clients were opened and nobody has them any more. A client that the test still has keeps its memory. */
  async #areCollected({ clients }: Snapshot): Promise<boolean> {
    const left = (): boolean => this.#clients().some((client) => !clients.has(client));
    if (!left()) return false;
    for (let round = 0; round < maxCollections; round++) {
      // What was looked at is kept until this turn of the event loop is over.
      await turn();
      collectGarbage();
      if (!left()) return true;
    }
    return false;
  }

  #problems(before: Snapshot): string[] {
    const clients = this.#clients();
    const isLeft = clients.filter((client) => !before.clients.has(client) && !client.isClosed).length;
    return [
      ...clients.flatMap((client) => client.problems()),
      ...(isLeft === 0 ? [] : [`${isLeft} clients are not closed`]),
      ...[...openThings()]
        .filter(
          ([thing]) =>
            !before.things.has(thing) &&
            !(before !== nothing && isOfFile(thing)) &&
            !(before.isShared && thing instanceof Socket),
        )
        .map(([, what]) => `${what} is open`),
    ];
  }

  async #until(look: () => string[], beforeEachLook: () => void = () => {}): Promise<void> {
    const deadline = clock() + limitMs;
    for (;;) {
      beforeEachLook();
      const problems = look();
      if (problems.length === 0) return;
      if (clock() > deadline) {
        for (const client of this.#clients()) if (client.problems().length > 0) client.toldOf();
        throw new Error(`after the test: ${problems.join('; ')}`);
      }
      await turn();
      await new Promise<void>((resolve) => startTimer(resolve, 5));
    }
  }
}

function memoryProblems(): string[] {
  const left = memoryInUse().filter(({ isOfClient }) => isOfClient);
  const sizes = left.map(({ bytes }) => bytes).join(', ');
  return left.length === 0 ? [] : [`shared memory of clients that are gone: ${sizes} bytes`];
}

/** Whatever is open now, and what it is called. */
function openThings(): Map<object, string> {
  const things = new Map<object, string>(listOpenThings());
  for (const [thread, name] of liveThreads) things.set(thread, `thread ${name}`);
  for (const server of listeningServers) things.set(server, `server at ${JSON.stringify(server.address())}`);
  for (const child of liveProcesses) things.set(child, `process ${child.pid} ${child.spawnargs.join(' ')}`);
  for (const port of openPorts()) things.set(port, 'a message port');
  for (const handle of activeHandles()) if (!things.has(handle)) things.set(handle, `a ${handle.constructor.name}`);
  return things;
}
