// Owns what is measured in a contender's process between two moments, and the work that keeps its main thread busy, whose time does not count.
// Main thread of a contender.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { threadTimeMs } from '../../main-job/thread-time.ts';
import type { Figures, Job, Load } from './job.ts';
import { connectionsTo, ForeignLoad, peakMiB, threadTimes } from './machine.ts';

/** A timer that is due so often shows how late the loop is. It costs little of the thread's time. */
const delayResolutionMs = 5;

/** The application: it works in blocks, and leaves the rest of the time to the client. */
export class Application {
  readonly #load: Load;
  #cpuMs = 0;
  #wallMs = 0;
  #isOver = false;

  constructor(load: Load) {
    this.#load = load;
    if (load.blockMs > 0) this.#work();
  }

  get cpuMs(): number {
    return this.#cpuMs;
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  end(): void {
    this.#isOver = true;
  }

  #work(): void {
    if (this.#isOver) return;
    const { blockMs, share } = this.#load;
    const cpuMs = threadTimeMs();
    const startedAt = performance.now();
    for (const end = startedAt + blockMs; performance.now() < end; );
    this.#wallMs += performance.now() - startedAt;
    this.#cpuMs += threadTimeMs() - cpuMs;
    setTimeout(() => this.#work(), (blockMs * (1 - share)) / share);
  }
}

export class Meter {
  readonly #application: Application;
  readonly #port: number;
  readonly #job: Job;
  #startedAt = 0;
  #mainMs = 0;
  #applicationCpuMs = 0;
  #applicationWallMs = 0;
  #usage = process.cpuUsage();
  #threads = new Map<string, number>();
  #connections = new Set<string>();
  #delays: IntervalHistogram | null = null;
  #foreign: ForeignLoad | null = null;
  #errors = 0;

  constructor(job: Job, application: Application) {
    this.#job = job;
    this.#application = application;
    this.#port = Number(job.bootstrapServer.slice(job.bootstrapServer.lastIndexOf(':') + 1));
  }

  /** Counts an error that a client reports beside its answers. */
  readonly onError = (error: unknown): void => {
    this.#errors++;
    if (this.#errors === 1) process.stderr.write(`${String(error)}\n`);
  };

  get isRunning(): boolean {
    return this.#startedAt > 0;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  start(): void {
    this.#delays = monitorEventLoopDelay({ resolution: delayResolutionMs });
    this.#delays.enable();
    this.#connections = connectionsTo(this.#port);
    this.#foreign = new ForeignLoad(this.#job.ownPids);
    this.#threads = threadTimes();
    this.#applicationCpuMs = this.#application.cpuMs;
    this.#applicationWallMs = this.#application.wallMs;
    this.#usage = process.cpuUsage();
    this.#mainMs = threadTimeMs();
    this.#startedAt = performance.now();
  }

  /** @param things  how many records or requests there were */
  stop(things: number): { figures: Figures; threads: Figures; foreign: number } {
    const wallMs = this.elapsedMs;
    const { user, system } = process.cpuUsage(this.#usage);
    const appCpuMs = this.#application.cpuMs - this.#applicationCpuMs;
    const appWallMs = this.#application.wallMs - this.#applicationWallMs;
    const mainMs = threadTimeMs() - this.#mainMs - appCpuMs;
    const foreign = this.#foreign!.share;
    const threads: Record<string, number> = {};
    for (const [name, ms] of threadTimes()) {
      const own = ms - (this.#threads.get(name) ?? 0) - (name === 'main' ? appCpuMs : 0);
      if (own / wallMs > 0.001) threads[name] = own / wallMs;
    }
    const open = connectionsTo(this.#port);
    const gone = [...this.#connections].filter((inode) => !open.has(inode)).length;
    const isBusy = this.#job.load.blockMs > 0;
    const figures: Record<string, number> = {
      perSecond: (things / wallMs) * 1000,
      mainMicroseconds: (mainMs * 1000) / things,
      cpuMicroseconds: (user + system - appCpuMs * 1000) / things,
      // When it is idle: what it could have had.
      applicationShare: isBusy ? appWallMs / wallMs : Math.max(0, 1 - mainMs / wallMs),
      peakMiB: peakMiB(),
      errors: this.#errors,
      disconnects: gone,
    };
    if (this.#delays !== null) {
      this.#delays.disable();
      const delayMs = (ns: number): number => Math.max(0, ns / 1e6 - delayResolutionMs);
      figures.delayP50Ms = delayMs(this.#delays.percentile(50));
      figures.delayP99Ms = delayMs(this.#delays.percentile(99));
      figures.delayMaxMs = delayMs(this.#delays.max);
    }
    return { figures, threads, foreign };
  }
}
