// Owns one member of a classic group: what it joined with, its session, and the answers it waits for. Runs in the
// broker's thread.

import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';

export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  /** '' for a new one. */
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** From JoinGroup 4 on new members get their id first. */
  readonly needsKnownId: boolean;
  /** From JoinGroup 9 on a leader can be told to skip the assignment. */
  readonly maySkipAssignment: boolean;
}

export interface JoinAnswer {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

export interface SyncAnswer {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export const noAssignment = Buffer.alloc(0);

export function joinRefusal(errorCode: number, memberId: string): JoinAnswer {
  return {
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  };
}

export function syncRefusal(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: noAssignment };
}

export class ClassicMember {
  id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  sessionTimeoutMs = 0;
  rebalanceTimeoutMs = 0;
  protocols: readonly MemberProtocol[] = [];
  assignment: Buffer = noAssignment;
  #joining: ((answer: JoinAnswer) => void) | null = null;
  #syncing: ((answer: SyncAnswer) => void) | null = null;
  #forgetSession: () => void = () => {};

  constructor(id: string, request: JoinRequest) {
    this.id = id;
    this.instanceId = request.instanceId;
    this.clientId = request.clientId;
    this.update(request);
  }

  get isJoining(): boolean {
    return this.#joining !== null;
  }

  get isSyncing(): boolean {
    return this.#syncing !== null;
  }

  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocols = request.protocols;
  }

  /** Whether those are the same protocols in the same order, metadata included. */
  hasSameProtocols(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => {
        const own = this.protocols[i]!;
        return own.name === name && own.metadata.equals(metadata);
      })
    );
  }

  metadata(protocolName: string): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? noAssignment;
  }

  /** A member that joins twice no longer waits for the first answer, which then says so. */
  awaitJoin(): Promise<JoinAnswer> {
    this.answerJoin(joinRefusal(errorCodes.UNKNOWN_MEMBER_ID, this.id));
    return new Promise((resolve) => {
      this.#joining = resolve;
    });
  }

  answerJoin(answer: JoinAnswer): void {
    const resolve = this.#joining;
    this.#joining = null;
    resolve?.(answer);
  }

  awaitSync(): Promise<SyncAnswer> {
    this.answerSync(syncRefusal(errorCodes.REBALANCE_IN_PROGRESS));
    return new Promise((resolve) => {
      this.#syncing = resolve;
    });
  }

  answerSync(answer: SyncAnswer): void {
    const resolve = this.#syncing;
    this.#syncing = null;
    resolve?.(answer);
  }

  /** Restarts the session. `expired` is called when it is over and the member waits for no answer. */
  keepAlive(clock: BrokerClock, expired: () => void): void {
    this.#forgetSession();
    this.#forgetSession = clock.after(this.sessionTimeoutMs, () => {
      if (this.isJoining || this.isSyncing) this.keepAlive(clock, expired);
      else expired();
    });
  }

  endSession(): void {
    this.#forgetSession();
  }
}
