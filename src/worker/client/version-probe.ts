// Owns how one node is asked for its version: which request to send on the next connection, and the result for a
// broker without ApiVersions, which is kept so that its next connection need not ask again. Network thread. Must not
// send anything: handshake.ts does.
//
// Brokers below 0.10 know no ApiVersions. 0.8 closes the connection on a request it does not know, so that each step costs
// one; 0.9 does not answer, and goes on. The steps are tried one per connection until one is answered. That a connection was
// closed says little: it counts when the next one is closed at the same place, and is asked about again after some minutes.
// Source: KIP-35, and how kafka-python finds such brokers.

import { FindCoordinator, ListGroups, Metadata, OffsetFetch } from '../../protocol/flat/generated/apis.ts';
import { NodeApiVersions } from './api-versions.ts';
import { type BrokerVersion, rangesOfVersion } from './broker-versions.ts';

/**
 * A request that brokers from some version on answer, and the version of brokers that answer this step but no newer
 * one.
 */
export interface OldProbe {
  readonly apiKey: number;
  readonly version: BrokerVersion;
}

/** 'newest', 'oldest': ApiVersions in that version. */
export type ProbeStep = 'newest' | 'oldest' | OldProbe;

/** The only version that does not answer a request that it does not know. */
export const ignoresApiVersions: BrokerVersion = [0, 9];
export const listGroupsProbe: OldProbe = { apiKey: ListGroups.key, version: ignoresApiVersions };

const steps: readonly ProbeStep[] = [
  'newest',
  'oldest',
  listGroupsProbe,
  { apiKey: FindCoordinator.key, version: [0, 8, 2] },
  { apiKey: OffsetFetch.key, version: [0, 8, 1] },
  { apiKey: Metadata.key, version: [0, 8, 0] },
];

/** Before a login only ApiVersions may be sent: any other request would end the connection. */
const stepsBeforeLogin = 2;

/** A conclusion that lasts is drawn anew after this: the broker may have been replaced. */
const maxKnownMs = 5 * 60_000;

/** Shared by the nodes of a client: brokers of a cluster mostly have one version. */
export interface ProbeHint {
  /** Index of the step that was answered last. */
  firstStep: number;
  /** Newest version of ApiVersions that a broker has said it supports; Infinity before one has. */
  newestApiVersions: number;
}

export class VersionProbe {
  readonly #hint: ProbeHint;
  readonly #stepCount: number;
  #known: NodeApiVersions | null = null;
  #step: number;
  #dropped = 0;
  /** The node has answered ApiVersions once. So it knows ApiVersions, and closes connections for other reasons. */
  #hasSpoken = false;
  /** The version whose probe was answered on this connection; it is not certain yet. */
  #answered: BrokerVersion | null = null;
  /** What the connection before seemed to show, for this one to confirm: any broker may lose a connection at that moment. */
  #suspected: BrokerVersion | null = null;
  /** When `#known` was certain, on the monotonic clock. */
  #knownAt = Number.NEGATIVE_INFINITY;
  /** As in the hint, of this broker itself; Infinity before it has said it. */
  #newestApiVersions = Number.POSITIVE_INFINITY;

  constructor(hint: ProbeHint, isLoginNeeded: boolean) {
    this.#hint = hint;
    this.#stepCount = isLoginNeeded ? stepsBeforeLogin : steps.length;
    this.#step = hint.firstStep;
  }

  /**
   * What a broker without ApiVersions speaks, once that is certain; not when another node has turned out to differ since, nor
   * for ever: now and then a new connection asks again.
   */
  known(now: number): NodeApiVersions | null {
    const isFresh = now - this.#knownAt < maxKnownMs;
    return isFresh && this.#hint.firstStep === this.#step ? this.#known : null;
  }

  get step(): ProbeStep {
    return steps[this.#step]!;
  }

  /** The highest version of ApiVersions for the step `newest`: a newer one would only be refused. */
  get newestApiVersions(): number {
    const own = this.#newestApiVersions;
    return own === Number.POSITIVE_INFINITY ? this.#hint.newestApiVersions : own;
  }

  /** Whether the peer has closed the connection at every step, and has never done anything else. */
  get isExhausted(): boolean {
    return !this.#hasSpoken && this.#dropped >= this.#stepCount;
  }

  /** Whether requests other than ApiVersions may be sent before the connection is ready. */
  get mayAskOthers(): boolean {
    return this.#stepCount > stepsBeforeLogin;
  }

  /**
   * The broker answered ApiVersions. @param newest version of it that the broker supports; undefined if it did not
   * say so
   */
  succeeded(newest = Number.POSITIVE_INFINITY): void {
    this.#hasSpoken = true;
    this.#dropped = 0;
    this.forget();
    this.#step = 0;
    this.#hint.firstStep = 0;
    this.#newestApiVersions = newest < 0 ? Number.POSITIVE_INFINITY : newest;
    this.#hint.newestApiVersions = this.#newestApiVersions;
  }

  /**
   * An old probe was answered. The answer to the ApiVersions behind it will show whether the broker is really that
   * old.
   */
  answered(version: BrokerVersion): void {
    this.#answered = version;
  }

  /** The broker has this version, and no ApiVersions. */
  confirm(version: BrokerVersion, now: number): NodeApiVersions {
    this.#dropped = 0;
    this.#answered = null;
    this.#suspected = null;
    this.#knownAt = now;
    this.#step = steps.findIndex((step) => typeof step === 'object' && step.version === version);
    this.#hint.firstStep = this.#step;
    this.#known = new NodeApiVersions(rangesOfVersion(version), version);
    return this.#known;
  }

  /**
   * The peer closed the connection before it was ready. True when that was an answer: the next connection, at once, confirms it
   * or uses it.
   */
  dropped(now: number): boolean {
    const answered = this.#answered;
    this.#answered = null;
    if (answered !== null) {
      if (this.#suspected === answered) this.confirm(answered, now);
      this.#suspected = answered;
      return true;
    }
    this.#suspected = null;
    this.#dropped++;
    this.#step = (this.#step + 1) % this.#stepCount;
    return false;
  }

  /** Nothing was answered in time, or nothing that fits: the usual question again. */
  restart(): void {
    this.#step = 0;
    this.#dropped = 0;
    this.#suspected = null;
  }

  /** What is known may be out of date: the node is asked again, beginning with the step that fitted last. */
  forget(): void {
    this.#known = null;
    this.#answered = null;
    this.#suspected = null;
  }
}
