// Owns the life of the network thread as the application sees it: starts it, keeps the process alive for it while needed,
// notices its end. Application thread.

import { MessageChannel, type MessagePort, type WorkerOptions } from 'node:worker_threads';
// biome-ignore lint/style/useNodejsImportProtocol: webpack 5.113 knows the thread of Node by this name only
import { Worker } from 'worker_threads';
import { monotonicNowMs } from '../../common/clock.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ControlResult, NetworkThreadData } from '../../common/control.ts';
import { Cancelled, NetworkThreadError } from '../../common/errors/errors.ts';
import { type ApplicationEnd, createAttachment, type NetworkHandle } from '../../ring/attachment.ts';
import { createDoorbell } from '../../ring/doorbell.ts';
import {
  CountersWriter,
  createCounters,
  DEFAULT_NODE_CAPACITY,
  STATE_CLOSED,
  STATE_LOST,
  STATE_STARTING,
} from '../../state/counters.ts';
import { createMetrics, MetricsReader } from '../../state/shared-metrics.ts';
import { carriedConfig } from './carried-config.ts';
import type { ClientLog } from './client-log.ts';
import { ControlCalls } from './control-calls.ts';
import { defaultAuthorities } from './default-authorities.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { ringSizes } from './ring-sizes.ts';
import type { RemoteControl, ThreadAccess } from './thread-access.ts';

/** From where this file runs as it is written. */
const sourceEntry = '../../worker/index.ts';
const here = import.meta.url;

/** How long an orderly end may take before the thread is ended by force. */
const exitGraceMs = 2000;

export class NetworkThreadHandle implements ThreadAccess {
  readonly end: ApplicationEnd;
  /** Null unless `metrics` is configured. */
  readonly metrics: MetricsReader | null;
  /** Called once when the thread has ended without being asked to. */
  onLost: (error: Error) => void = () => {};

  readonly #worker: Worker;
  readonly #calls: ControlCalls;
  readonly #port: MessagePort;
  readonly #exited: Promise<void>;
  readonly #takeLeftLogs: () => void;
  /** Null: it may take as long as it likes. */
  readonly #watch: HeartbeatWatch | null;
  readonly #timeoutMs: number;
  #watchTimer: NodeJS.Timeout | null = null;
  #lastError: unknown;
  #isClosing = false;
  #isLost = false;
  #isReferenced = false;

  constructor(config: KafkaClientConfig, log: ClientLog) {
    const counters = createCounters();
    const doorbell = createDoorbell();
    const metrics = config.metrics ? createMetrics(DEFAULT_NODE_CAPACITY) : null;
    this.metrics = metrics === null ? null : new MetricsReader(metrics);
    const { application, handle, transferList } = createAttachment(ringSizes(config), doorbell, counters);
    const { port1, port2 } = new MessageChannel();
    const { port1: logPort, port2: networkLogPort } = new MessageChannel();
    const carried = carriedConfig(config);
    const data: NetworkThreadData<KafkaClientConfig, NetworkHandle, MessagePort> = {
      ...carried.data,
      authorities: defaultAuthorities(config),
      // Functions cannot be carried over; the network thread's records come back over the port.
      config: { ...carried.data.config, logger: null },
      counters,
      doorbell,
      metrics,
      attachment: handle,
      controlPort: port2,
      logPort: networkLogPort,
    };
    this.end = application;
    this.#timeoutMs = config.networkThreadTimeoutMs;
    this.#watch = this.#newWatch();
    this.#port = port1;
    this.#worker = newWorker(config.workerUrl, {
      name: 'kafka-network',
      // `node --input-type=module -e ...` passes its flag on, and no worker file starts under it.
      ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}),
      workerData: data,
      transferList: [...transferList, ...carried.transferList, port2, networkLogPort],
    });
    this.#worker.on('error', (error) => {
      this.#lastError = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        this.#onExit(exitCode, counters);
        resolve();
      });
    });
    this.#calls = new ControlCalls(port1);
    this.#worker.unref();
    port1.unref();
    this.#takeLeftLogs = () => log.drain(logPort);
    log.listen(logPort);
  }

  /** Keeps the process alive, or not: a pending `waitAsync` alone would let it end. */
  reference(isNeeded: boolean): void {
    // One that is ending is referenced until it has.
    if (isNeeded === this.#isReferenced || this.#isClosing || this.#isLost) return;
    this.#isReferenced = isNeeded;
    // The worker rather than the port: that one closes with the worker, before its exit event tells why.
    if (isNeeded) this.#worker.ref();
    else this.#worker.unref();
    if (isNeeded && this.#watchTimer === null && this.#watch !== null) this.#startWatch(this.#watch);
  }

  /**
   * Ends the thread unless it runs within so long: on Node 20 its modules are read in the thread pool of the process, and
   * wait there behind whatever the application does. Returns what gives the limit up.
   */
  limitBegin(limitMs: number): () => void {
    const timer = setTimeout(() => {
      if (this.end.counters.state() !== STATE_STARTING) return;
      const text = `the network thread did not begin within ${limitMs} ms; most likely its modules cannot be read, since something else holds every thread of the process's pool (UV_THREADPOOL_SIZE): start the client before that work`;
      this.condemn(new NetworkThreadError(text));
    }, limitMs);
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** Sees whether the thread is stuck; a thread that blocks has to ask now and then, since no timer of its own fires. */
  look(): void {
    if (this.#isClosing || this.#isLost) return;
    if (this.#hasEnded()) {
      this.condemn(
        new NetworkThreadError('the network thread has ended; while this thread blocks, nobody can tell why'),
      );
      return;
    }
    if (this.#watch === null || !this.#watch.look(monotonicNowMs())) return;
    const error = new NetworkThreadError(
      `the network thread made no turn for ${this.#timeoutMs} ms (networkThreadTimeoutMs) though something was under way; it was ended`,
    );
    this.condemn(error);
  }

  async call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    if (this.#isClosing) throw new NetworkThreadError('the network thread has ended');
    const value = await this.#calls.call(run);
    this.#hasEnded();
    return value;
  }

  /** Ends the thread by force, as lost because of `error`. */
  condemn(error: Error): void {
    void this.#worker.terminate();
    // Now, not at its exit: of that a blocked thread would not hear.
    this.#lose(error);
  }

  /** Ends the thread: orderly if it still answers, by force if not. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#worker.ref();
      this.#calls.call((control) => control.close()).catch(() => {});
    }
    let timer: NodeJS.Timeout | undefined;
    // Even one that was terminated ends only when the process's pool has let go of what it reads there.
    const isGivenUp = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        void this.#worker.terminate();
        timer = setTimeout(resolve, exitGraceMs);
      }, exitGraceMs);
    });
    await Promise.race([this.#exited, isGivenUp]);
    clearTimeout(timer);
    this.#worker.unref();
  }

  #onExit(exitCode: number, counters: SharedArrayBuffer): void {
    const error = new NetworkThreadError(this.#describeExit(exitCode), { cause: this.#lastError });
    // Its writer is gone, so this thread may write in its place.
    new CountersWriter(counters).setState(this.#isClosing && !this.#isLost ? STATE_CLOSED : STATE_LOST);
    this.#stopWatch();
    this.#takeLeftLogs();
    this.#port.close();
    this.end.close();
    this.#lose(error);
    this.#isClosing = true;
  }

  #describeExit(exitCode: number): string {
    const cause = this.#lastError;
    const isLoaded = this.end.counters.state() !== STATE_STARTING;
    if (isLoaded || !(cause instanceof Error)) return `the network thread ended with exit code ${exitCode}`;
    return `the network thread could not be loaded: ${cause.message.split('\n', 1)[0]}; if the application was bundled, keep offthread-kafka external, or name the thread's module in workerUrl`;
  }

  #lose(error: Error): void {
    const isOrderly = this.#isClosing && !this.#isLost;
    this.#calls.end(isOrderly ? new Cancelled('the client was closed', { retriable: false }) : error);
    if (this.#isLost || this.#isClosing) return;
    this.#isLost = true;
    this.onLost(error);
  }

  /**
   * Asked of Node itself, since the exit event waits for a turn of this thread's event loop: the idle time of a loop that is no
   * more is negative. Node has to be asked once while there is a loop, else it says 0 ever after.
   */
  #hasEnded(): boolean {
    return this.#worker.performance.eventLoopUtilization().idle < 0;
  }

  #newWatch(): HeartbeatWatch | null {
    if (this.#timeoutMs === 0) return null;
    const { counters, networkDoorbell } = this.end;
    return new HeartbeatWatch(
      this.#timeoutMs,
      () => counters.turns(),
      () => networkDoorbell.notify(),
    );
  }

  /** It goes on until it finds nothing under way, rather than begin anew with every request. */
  #startWatch(watch: HeartbeatWatch): void {
    watch.reset();
    this.#watchTimer = setInterval(() => {
      if (this.#isReferenced) this.look();
      else this.#stopWatch();
    }, watch.intervalMs);
    this.#watchTimer.unref();
  }

  #stopWatch(): void {
    if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
    this.#watchTimer = null;
  }
}

function newWorker(workerUrl: string | null, options: WorkerOptions): Worker {
  if (workerUrl !== null) return new Worker(new URL(workerUrl), options);
  if (here.endsWith('.ts')) return new Worker(new URL(sourceEntry, here), options);
  // In full, since by this form bundlers find the file, and build it, too.
  return new Worker(new URL('../../worker/index.js', import.meta.url), options);
}
