// Owns what the network thread knows of code that not every client needs: the classes that are loaded at the first use, and stand-ins that
// load them. A thread starts faster without what it never uses. Network thread. Must not know what producers and consumers do.

import { type MemoryPart, sumOfParts } from '../common/client-memory.ts';
import { Cancelled } from '../common/errors/errors.ts';
import type { Reused } from '../common/kept-memory.ts';
import { thrownError } from '../common/thrown.ts';
import type { NetworkEnd } from '../ring/attachment.ts';
import type { RoleHost } from './client/role.ts';
import type { Attachment } from './link/attachments.ts';
import type { Consumers, ConsumersParts } from './link/consumers.ts';
import type { Producers, ProducersParts } from './link/producers.ts';
import type { Authenticator } from './sasl/authenticator.ts';
import type { Pushing, PushOpening } from './telemetry/metrics-push.ts';
import type { Reporter } from './telemetry/reporter.ts';
import type { Telemetry, TelemetryParts } from './telemetry/telemetry.ts';

type Code<T> = () => T | Promise<T>;

export interface RoleCode {
  readonly producers: Code<new (parts: ProducersParts) => Producers>;
  readonly consumers: Code<new (parts: ConsumersParts) => Consumers>;
  readonly telemetry: Code<new (parts: TelemetryParts) => Telemetry>;
  /** Null: the configuration has no login. */
  readonly Authenticator: typeof Authenticator | null;
}

/** What producers and consumers have in common for those who do not open any. */
interface Role extends Reused {
  readonly ends: NetworkEnd[];
  readonly memory: MemoryPart;
  readonly kept: MemoryPart;
  ownerGone(owner: Attachment): void;
}

class LazyRole<T extends Role, Parts> implements Reused {
  readonly #code: Code<new (parts: Parts) => T>;
  readonly #parts: Parts;
  #role: T | null = null;
  #isClosed = false;

  constructor(code: Code<new (parts: Parts) => T>, parts: Parts) {
    this.#code = code;
    this.#parts = parts;
  }

  get ends(): NetworkEnd[] {
    return this.#role?.ends ?? [];
  }

  get memory(): MemoryPart {
    return this.#role?.memory ?? sumOfParts([]);
  }

  get kept(): MemoryPart {
    return this.#role?.kept ?? sumOfParts([]);
  }

  get isKeeping(): boolean {
    return this.#role?.isKeeping ?? false;
  }

  trim(): void {
    this.#role?.trim();
  }

  ownerGone(owner: Attachment): void {
    this.#role?.ownerGone(owner);
  }

  /** Calls that still load code fail with Cancelled. */
  close(): void {
    this.#isClosed = true;
  }

  /** Runs `work` at once when the code is there. */
  protected with<R>(work: (role: T) => R): R | Promise<R> {
    if (this.#role !== null) return work(this.#role);
    const code = this.#code();
    return code instanceof Promise ? code.then((loaded) => work(this.#made(loaded))) : work(this.#made(code));
  }

  #made(Loaded: new (parts: Parts) => T): T {
    if (this.#isClosed) throw new Cancelled('the client was closed');
    this.#role ??= new Loaded(this.#parts);
    return this.#role;
  }
}

export class LazyProducers extends LazyRole<Producers, ProducersParts> {
  /** As `Producers.open`. */
  open(...args: Parameters<Producers['open']>): number | Promise<number> {
    return this.with((producers) => producers.open(...args));
  }

  /** As `Producers.attach`. */
  attach(...args: Parameters<Producers['attach']>): void | Promise<void> {
    return this.with((producers) => producers.attach(...args));
  }
}

export class LazyConsumers extends LazyRole<Consumers, ConsumersParts> {
  /** As `Consumers.open`. */
  open(...args: Parameters<Consumers['open']>): number | Promise<number> {
    return this.with((consumers) => consumers.open(...args));
  }

  /** As `Consumers.attach`. */
  attach(...args: Parameters<Consumers['attach']>): void | Promise<void> {
    return this.with((consumers) => consumers.attach(...args));
  }
}

/** Few brokers take metrics, so the code that pushes them is loaded when one is found that does. */
export class LazyTelemetry implements Pushing {
  readonly host: RoleHost;
  readonly #code: RoleCode['telemetry'];
  readonly #parts: TelemetryParts;
  #telemetry: Telemetry | null = null;

  constructor(code: RoleCode['telemetry'], parts: TelemetryParts) {
    this.host = parts.host;
    this.#code = code;
    this.#parts = parts;
  }

  open(opening: PushOpening, now: number): Reporter | Promise<Reporter> {
    if (this.#telemetry !== null) return this.#telemetry.open(opening, now);
    const code = this.#code();
    return code instanceof Promise
      ? code.then((Loaded) => this.#made(Loaded).open(opening, now))
      : this.#made(code).open(opening, now);
  }

  failed(error: unknown): void {
    const reason = thrownError(error);
    this.#parts.log.write('warn', 'metrics-push-failed', `metrics could not be pushed: ${reason.message}`, {
      error: reason,
    });
  }

  #made(Loaded: new (parts: TelemetryParts) => Telemetry): Telemetry {
    this.#telemetry ??= new Loaded(this.#parts);
    return this.#telemetry;
  }
}
