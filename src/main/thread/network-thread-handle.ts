// Owns the network thread on the application side: starts it, keeps the process alive while it is needed, notices its end.
// Application thread.

import { MessageChannel, type MessagePort, threadId, type Worker } from 'node:worker_threads';
import { monotonicNowMs } from '../../common/clock.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ControlResult, NetworkThreadData } from '../../common/control.ts';
import { Cancelled, NetworkThreadError } from '../../common/errors/errors.ts';
import { type ApplicationEnd, createAttachment, type NetworkHandle } from '../../ring/attachment.ts';
import { createDoorbell } from '../../ring/doorbell.ts';
import { type ClientMetricsMemory, ClientMetricsReader, createClientMetrics } from '../../state/api-metrics.ts';
import {
  CountersWriter,
  createCounters,
  DEFAULT_NODE_CAPACITY,
  STATE_CLOSED,
  STATE_LOST,
  STATE_STARTING,
} from '../../state/counters.ts';
import { BeginWatch } from './begin-watch.ts';
import { carriedConfig } from './carried-config.ts';
import type { ClientLog } from './client-log.ts';
import { ControlCalls } from './control-calls.ts';
import { defaultAuthorities } from './default-authorities.ts';
import { isObserved } from './diagnostics.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { newThread } from './new-thread.ts';
import { ringSizes } from './ring-sizes.ts';
import type { RemoteControl, ThreadAccess } from './thread-access.ts';

/** How long an orderly end may take. After that the thread is ended by force. */
const exitGraceMs = 2000;
/** How often a thread that has not begun yet is looked at. */
const beginLookMs = 250;

/** What the thread loads while it connects. */
type Expectations = Pick<NetworkThreadData<never, never, never>, 'expects' | 'sendsRequests'>;

export class NetworkThreadHandle implements ThreadAccess {
  readonly end: ApplicationEnd;
  readonly threadId = threadId;
  /** Null unless `metrics` is configured. */
  readonly metrics: ClientMetricsReader | null;
  /** Called once when the thread has ended although `close` was not called. */
  onLost: (error: Error) => void = () => {};

  readonly #worker: Worker;
  readonly #calls: ControlCalls;
  readonly #port: MessagePort;
  readonly #exited: Promise<void>;
  readonly #takeLeftLogs: () => void;
  /** Null: the thread is not watched. */
  readonly #watch: HeartbeatWatch | null;
  readonly #timeoutMs: number;
  #watchTimer: NodeJS.Timeout | null = null;
  #lastError: unknown;
  #isClosing = false;
  #isLost = false;
  #isReferenced = false;
  /** Whether the network thread makes the records that somebody listens for. */
  #isObserved = isObserved();

  constructor(config: KafkaClientConfig, log: ClientLog, { expects, sendsRequests }: Expectations) {
    const counters = createCounters();
    const doorbell = createDoorbell();
    const metrics = config.metrics ? createClientMetrics(DEFAULT_NODE_CAPACITY) : null;
    this.metrics = metrics === null ? null : new ClientMetricsReader(metrics);
    const { application, handle, transferList } = createAttachment(ringSizes(config), doorbell, counters);
    const { port1, port2 } = new MessageChannel();
    const { port1: logPort, port2: networkLogPort } = new MessageChannel();
    const carried = carriedConfig(config);
    const data: NetworkThreadData<KafkaClientConfig, NetworkHandle, MessagePort, ClientMetricsMemory> = {
      ...carried.data,
      authorities: defaultAuthorities(config),
      // A logger's functions cannot cross. The network thread sends its records over the port.
      config: { ...carried.data.config, logger: null },
      counters,
      doorbell,
      metrics,
      attachment: handle,
      controlPort: port2,
      logPort: networkLogPort,
      isObserved: this.#isObserved,
      threadId,
      expects,
      sendsRequests,
    };
    this.end = application;
    this.#timeoutMs = config.networkThreadTimeoutMs;
    this.#watch = this.#newWatch();
    this.#port = port1;
    const ports = [...transferList, ...carried.transferList, port2, networkLogPort];
    this.#worker = newThread(config.workerUrl, data, ports);
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
    log.onTaken = () => this.noticeObservers();
  }

  noticeObservers(): void {
    if (isObserved() === this.#isObserved || this.#isClosing || this.#isLost) return;
    this.#isObserved = !this.#isObserved;
    const isNow = this.#isObserved;
    // A thread that has ended makes no records.
    this.#calls.call((control) => control.observe(isNow)).catch(() => {});
  }

  /** Whether to keep the process alive. A pending `waitAsync` alone does not. */
  reference(isNeeded: boolean): void {
    // A thread that is ending stays referenced until it has ended.
    if (isNeeded === this.#isReferenced || this.#isClosing || this.#isLost) return;
    this.#isReferenced = isNeeded;
    // The worker is referenced, not the port: the port closes before the worker's exit event, which has the reason.
    if (isNeeded) this.#worker.ref();
    else this.#worker.unref();
    if (isNeeded && this.#watchTimer === null && this.#watch !== null) this.#startWatch(this.#watch);
  }

  /**
   * Ends the thread when it does not begin although it has waited for `limitMs`. On Node 20 its modules are read in the thread pool of the
   * process, where they wait behind the application's own work. A thread that computes is alive: on a busy machine it may take as long as it
   * needs, and so only the time counts for which its event loop had nothing to do. Returns a function that removes the limit.
   */
  limitBegin(limitMs: number): () => void {
    const watch = new BeginWatch(limitMs, beginLookMs);
    const timer = setInterval(() => {
      if (this.end.counters.state() !== STATE_STARTING) return clearInterval(timer);
      if (!watch.look(this.#worker.performance.eventLoopUtilization().idle)) return;
      clearInterval(timer);
      const text = `the network thread did not begin within ${limitMs} ms of waiting; probably its modules cannot be read, because other work uses every thread of the process's pool (UV_THREADPOOL_SIZE): start the client before that work`;
      this.condemn(new NetworkThreadError(text));
    }, beginLookMs);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Checks whether the thread is stuck. A blocked application thread must call this now and then, because its timers do not fire. */
  look(): void {
    if (this.#isClosing || this.#isLost) return;
    if (this.#hasEnded()) {
      this.condemn(
        new NetworkThreadError('the network thread has ended; the reason is not known while this thread blocks'),
      );
      return;
    }
    if (this.#watch === null || !this.#watch.look(monotonicNowMs())) return;
    const error = new NetworkThreadError(
      `the network thread made no turn for ${this.#timeoutMs} ms (networkThreadTimeoutMs) although requests or calls were under way; it was ended`,
    );
    this.condemn(error);
  }

  async call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    if (this.#isClosing) throw new NetworkThreadError('the network thread has ended');
    this.noticeObservers();
    const value = await this.#calls.callOfApplication(run);
    this.#hasEnded();
    return value;
  }

  /** Ends the thread by force. `error` is the reason. */
  condemn(error: Error): void {
    void this.#worker.terminate();
    // This is done now and not at the exit event: a blocked thread does not get that event.
    this.#lose(error);
  }

  /** Ends the thread: in order if it still answers, otherwise by force. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#worker.ref();
      this.#calls.call((control) => control.close()).catch(() => {});
    }
    let timer: NodeJS.Timeout | undefined;
    // Even after `terminate`, the thread only ends when the process's thread pool has finished the thread's reads.
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
    // The thread that writes these words has ended, so this thread may write them.
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
    return `the network thread could not be loaded: ${cause.message.split('\n', 1)[0]}; if the application was bundled, keep offthread-kafka external, or set workerUrl to the thread's module`;
  }

  #lose(error: Error): void {
    const isOrderly = this.#isClosing && !this.#isLost;
    this.#calls.end(isOrderly ? new Cancelled('the client was closed') : error);
    if (this.#isLost || this.#isClosing) return;
    this.#isLost = true;
    this.onLost(error);
  }

  /**
   * Asks Node, because the exit event needs this thread's event loop. The idle time of an event loop that has ended is negative. Node
   * must be asked once while the loop exists, otherwise it always returns 0.
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

  /** The timer runs until nothing is under way. It is not started again for each request. */
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
