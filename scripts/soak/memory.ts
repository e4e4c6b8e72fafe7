// Owns the measuring of memory in a soak: of every thread, when nothing is under way. Main thread.

import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { measureThread, probeChannel, type ThreadMemory } from './heap-probe.ts';

export interface MemorySample {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly networkHeapMiB: number;
  /** Of both heaps: code that V8 has compiled. It has an end, because the program has one, but V8 takes hours for what runs rarely. */
  readonly codeMiB: number;
  /** Of the main thread and the network thread: array buffers, memory that is shared, and what Node itself holds. */
  readonly externalMiB: number;
  /** Of it, what the client keeps for reuse: it grows with the greatest load so far, and has a limit. */
  readonly keptMiB: number;
  /** Of it, what connections receive into: 64 KiB for each that is open, and faults decide how many that are. */
  readonly receiveMiB: number;
  /** Heap and external memory of these threads, without what is kept. */
  readonly usedMiB: number;
  /** The same without code and what connections receive into: what the program holds. */
  readonly dataMiB: number;
}

/** What a client says of its memory. */
export interface Held {
  readonly kept: { readonly usedBytes: number };
  readonly receive: { readonly usedBytes: number };
}

const answerLimitMs = 20_000;
const lookEveryMs = 20;
/** Memory that goes from one thread to another belongs to neither for a moment, or to both. */
const looks = 3;
const betweenLooksMs = 200;
/** A client gives memory that nobody has used for 10 to 20 s back. */
const keptLimitMs = 25_000;
const lookAtKeptEveryMs = 500;

export class MemoryProbe {
  readonly #channel = new BroadcastChannel(probeChannel);
  #answers: ThreadMemory[] = [];

  constructor() {
    this.#channel.onmessage = (event) => {
      const { data } = event as { data: unknown };
      this.#answers.push(data as ThreadMemory);
    };
    this.#channel.unref();
  }

  /**
   * Of the main thread and of the one network thread, when nothing is kept for reuse any more: the least of some looks at it. Throws if
   * there are more threads. Null if it does not answer in time.
   * @param held asks the client
   */
  async measure(held: () => Promise<Held>): Promise<MemorySample | null> {
    const keptUntil = performance.now() + keptLimitMs;
    while ((await held()).kept.usedBytes > 0 && performance.now() < keptUntil) await delay(lookAtKeptEveryMs);
    let least: MemorySample | null = null;
    for (let i = 0; i < looks; i++) {
      if (i > 0) await delay(betweenLooksMs);
      const sample = await this.#look(await held());
      if (sample === null) return null;
      if (least === null || sample.usedMiB < least.usedMiB) least = sample;
    }
    return least;
  }

  async #look({
    kept: { usedBytes: keptBytes },
    receive: { usedBytes: receiveBytes },
  }: Held): Promise<MemorySample | null> {
    this.#answers = [];
    this.#channel.postMessage(null);
    const until = performance.now() + answerLimitMs;
    while (!this.#answers.some(({ isNetwork }) => isNetwork)) {
      if (performance.now() > until) return null;
      await delay(lookEveryMs);
    }
    measureThread();
    await turn();
    const main = measureThread();
    const networks = this.#answers.filter(({ isNetwork }) => isNetwork);
    if (networks.length !== 1) throw new Error(`${networks.length} network threads while one client is open`);
    const [network] = networks as [ThreadMemory];
    const codeBytes = main.codeBytes + network.codeBytes;
    const usedBytes = main.heapBytes + network.heapBytes + main.externalBytes + network.externalBytes - keptBytes;
    return {
      rssMiB: mib(process.memoryUsage.rss()),
      heapMiB: mib(main.heapBytes),
      networkHeapMiB: mib(network.heapBytes),
      codeMiB: mib(codeBytes),
      externalMiB: mib(main.externalBytes + network.externalBytes),
      keptMiB: mib(keptBytes),
      receiveMiB: mib(receiveBytes),
      usedMiB: mib(usedBytes),
      dataMiB: mib(usedBytes - codeBytes - receiveBytes),
    };
  }

  close(): void {
    this.#channel.close();
  }
}

const mib = (bytes: number): number => bytes / 1024 / 1024;
