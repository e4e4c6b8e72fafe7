// Owns what is known of how one node tells its version: what to ask on the next connection, and the answer of a broker
// without ApiVersions, which is kept so that its next connection need not ask again. Network thread. Must not send
// anything: handshake.ts does.
//
// Brokers below 0.10 know no ApiVersions. 0.8 closes the connection on a request it does not know, so that each step costs
// one; 0.9 does not answer, and goes on. The steps are tried one per connection until one is answered.
// Source: KIP-35, and how kafka-python finds such brokers.

import { FindCoordinator, ListGroups, Metadata, OffsetFetch } from '../../protocol/flat/generated/apis.ts';
import { NodeApiVersions } from './api-versions.ts';
import { type BrokerVersion, rangesOfVersion } from './broker-versions.ts';

/** A request that brokers from some version on answer, and what is known of those that know no newer step. */
export interface OldProbe {
  readonly apiKey: number;
  readonly version: BrokerVersion;
}

/** 'newest', 'oldest': ApiVersions in that version. */
export type ProbeStep = 'newest' | 'oldest' | OldProbe;

/** The only version that leaves a request unanswered which it does not know. */
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

/** Before a login only ApiVersions may be sent: anything else would end the connection, whatever the broker's version. */
const stepsBeforeLogin = 2;

/** Shared by the nodes of a client: brokers of a cluster mostly have one version. */
export interface ProbeHint {
  /** Index of the step that was answered last. */
  firstStep: number;
  /** Newest version of ApiVersions that a broker has said it speaks; Infinity before one has. */
  newestApiVersions: number;
}

export class VersionProbe {
  readonly #hint: ProbeHint;
  readonly #stepCount: number;
  #known: NodeApiVersions | null = null;
  #step: number;
  #dropped = 0;
  /** It has answered ApiVersions once, so it is a broker: it closes connections for other reasons than not knowing what it is asked. */
  #hasSpoken = false;
  /** The version whose probe was answered on this connection, before it is certain. */
  #answered: BrokerVersion | null = null;

  constructor(hint: ProbeHint, isLoginNeeded: boolean) {
    this.#hint = hint;
    this.#stepCount = isLoginNeeded ? stepsBeforeLogin : steps.length;
    this.#step = hint.firstStep;
  }

  /** What a broker without ApiVersions speaks, once that is certain; not when another node has turned out to differ since. */
  get known(): NodeApiVersions | null {
    return this.#hint.firstStep === this.#step ? this.#known : null;
  }

  get step(): ProbeStep {
    return steps[this.#step]!;
  }

  /** Version of ApiVersions that the step `newest` need not go beyond: a newer one would only be refused, and asked again. */
  get newestApiVersions(): number {
    return this.#hint.newestApiVersions;
  }

  /** Whether the peer has closed the connection at every step, one after another, and nothing else ever. */
  get isExhausted(): boolean {
    return !this.#hasSpoken && this.#dropped >= this.#stepCount;
  }

  /** Whether requests beside ApiVersions may be sent before the connection is ready. */
  get mayAskOthers(): boolean {
    return this.#stepCount > stepsBeforeLogin;
  }

  /** The broker answered ApiVersions. @param newest version of it that the broker speaks; undefined if it did not say so */
  succeeded(newest = Number.POSITIVE_INFINITY): void {
    this.#hasSpoken = true;
    this.#dropped = 0;
    this.forget();
    this.#step = 0;
    this.#hint.firstStep = 0;
    this.#hint.newestApiVersions = newest < 0 ? Number.POSITIVE_INFINITY : newest;
  }

  /** An old probe was answered; what becomes of the ApiVersions behind it tells whether the broker is really that old. */
  answered(version: BrokerVersion): void {
    this.#answered = version;
  }

  /** The broker is of this version: it has no ApiVersions. */
  confirm(version: BrokerVersion): NodeApiVersions {
    this.#dropped = 0;
    this.#answered = null;
    this.#step = steps.findIndex((step) => typeof step === 'object' && step.version === version);
    this.#hint.firstStep = this.#step;
    this.#known = new NodeApiVersions(rangesOfVersion(version), version);
    return this.#known;
  }

  /** The peer closed the connection before it was ready. True when that answered the question. */
  dropped(): boolean {
    if (this.#answered !== null) {
      this.confirm(this.#answered);
      return true;
    }
    this.#dropped++;
    this.#step = (this.#step + 1) % this.#stepCount;
    return false;
  }

  /** Nothing was answered in time: the usual question again. */
  restart(): void {
    this.#step = 0;
    this.#dropped = 0;
  }

  /** What is known may not fit any more: asked again, beginning with what fitted last. */
  forget(): void {
    this.#known = null;
    this.#answered = null;
  }
}
