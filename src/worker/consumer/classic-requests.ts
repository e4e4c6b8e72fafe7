// Owns the requests of a membership in the classic protocol: their content, and the form that a broker's version needs. Network
// thread. Must not decide what an answer means.

import type { AssignorName, TopicPartition } from '../../common/config/consumer-config.ts';
import { KafkaConnectionError } from '../../common/errors/errors.ts';
import { Heartbeat, JoinGroup, LeaveGroup, SyncGroup } from '../../protocol/flat/generated/apis.ts';
import type { JoinGroupResponseView } from '../../protocol/flat/generated/join-group.ts';
import type { SyncGroupResponseView } from '../../protocol/flat/generated/sync-group.ts';
import type { BrokerRequest, Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { assignors } from './assignors/index.ts';
import { consumerProtocolType, encodeSubscription } from './consumer-protocol.ts';
import type { Coordinator } from './coordinator.ts';
import type { EncodedAssignment } from './group-leader.ts';

export interface ClassicSettings {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly rackId: string;
  readonly assignors: readonly AssignorName[];
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly excludeInternalTopics: boolean;
}

/** The identity of the member that sends a request. */
export interface ClassicIdentity {
  readonly memberId: string;
  readonly generation: number;
}

/** The content of a join, which the group's leader reads. */
export interface JoinContent {
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** The last assignment, for assignors whose members release everything before they join. */
  readonly lastOwned: readonly TopicPartition[];
}

type Question<Request, Response> = Omit<BrokerRequest<Request, Response>, 'onResponse' | 'onFailure'>;

export interface Outcome<Response> {
  onResponse(response: Response, now: number): void;
  onFailure(error: Error, now: number): void;
}

/** A broker answers a join at the latest when the rebalance timeout is over. This time is added to that timeout. */
const joinGraceMs = 5000;
const instanceIdVersion = 5;
const protocolVersion = 5;
const membersVersion = 3;
/** From this version of JoinGroup on a new member is given its id at once, and waits with that. */
const idFirstVersion = 4;

export class ClassicRequests {
  readonly #host: RoleHost;
  readonly #coordinator: Coordinator;
  readonly #settings: ClassicSettings;
  /** The join or sync that a broker keeps until other members have sent theirs. */
  #kept: { readonly to: Destination; readonly since: number } | null = null;

  constructor(host: RoleHost, coordinator: Coordinator, settings: ClassicSettings) {
    this.#host = host;
    this.#coordinator = coordinator;
    this.#settings = settings;
  }

  /** Since when a broker keeps a join or sync of this member. It reads nothing that is sent behind it on its connection. Null: none is kept. */
  get keptSince(): number | null {
    return this.#kept?.since ?? null;
  }

  /** Whether one is kept, and nobody else has a request on that connection. */
  get isKeptAlone(): boolean {
    return this.#kept !== null && this.#coordinator.isAloneAt(this.#kept.to);
  }

  /**
   * Ends the connection on which a join or sync is kept, which fails. What is sent next goes over another one. So does what else had no answer:
   * its error is one after which it is sent again.
   */
  endKept(now: number): void {
    if (this.#kept === null) return;
    const { to } = this.#kept;
    this.#kept = null;
    this.#coordinator.renewConnection(to, new KafkaConnectionError('closed because the member leaves its group'), now);
  }

  join(
    to: Destination,
    who: ClassicIdentity,
    content: JoinContent,
    outcome: Outcome<JoinGroupResponseView>,
    now: number,
  ): void {
    const { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#settings;
    // A new member without an id gets one at once, and has to come again with that.
    const isForId = who.memberId === '' && instanceId === null && this.#isIdFirst(to);
    this.#send(
      {
        to,
        api: JoinGroup,
        request: {
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId: who.memberId,
          ...this.#instance(),
          protocolType: consumerProtocolType,
          protocols: this.#protocols(who.generation, content),
        },
        ...(instanceId === null ? {} : { minVersion: instanceIdVersion }),
        timeoutMs: this.#isRepeatable(to, who) ? this.#repeatJoinMs : this.#longestJoinMs,
      },
      outcome,
      now,
      !isForId,
    );
  }

  sync(
    to: Destination,
    who: ClassicIdentity,
    protocolName: string | null,
    assignments: readonly EncodedAssignment[],
    outcome: Outcome<SyncGroupResponseView>,
    now: number,
  ): void {
    const hasProtocol = (this.#host.requests.versionRange(to.brokerId, SyncGroup)?.max ?? 0) >= protocolVersion;
    this.#send(
      {
        to,
        api: SyncGroup,
        request: {
          ...this.#signed(who),
          ...(hasProtocol ? { protocolType: consumerProtocolType, protocolName } : {}),
          assignments,
        },
        timeoutMs: this.#longestJoinMs,
      },
      outcome,
      now,
      // Others wait for what the leader says, and it waits for nobody.
      assignments.length === 0,
    );
  }

  heartbeat(to: Destination, who: ClassicIdentity, outcome: Outcome<number>, now: number): void {
    const { requestTimeoutMs, sessionTimeoutMs } = this.#settings;
    const timeoutMs = Math.min(requestTimeoutMs, sessionTimeoutMs);
    this.#send({ to, api: Heartbeat, request: this.#signed(who), timeoutMs }, codeOutcome(outcome), now);
  }

  leave(to: Destination, memberId: string, outcome: Outcome<number>, now: number): void {
    const { groupId, requestTimeoutMs } = this.#settings;
    const hasMembers = (this.#host.requests.versionRange(to.brokerId, LeaveGroup)?.max ?? 0) >= membersVersion;
    const request = hasMembers ? { groupId, members: [{ memberId, ...this.#instance() }] } : { groupId, memberId };
    this.#send({ to, api: LeaveGroup, request, timeoutMs: requestTimeoutMs }, codeOutcome(outcome), now);
  }

  /** @param mayBeKept whether the broker may keep the request until other members have sent theirs */
  #send<Request, Response>(
    question: Question<Request, Response>,
    outcome: Outcome<Response>,
    now: number,
    mayBeKept = false,
  ): void {
    const kept = mayBeKept ? { to: question.to, since: now } : null;
    if (kept !== null) this.#kept = kept;
    const ended = (): void => {
      if (kept !== null && kept === this.#kept) this.#kept = null;
    };
    this.#coordinator.send(
      {
        ...question,
        onResponse: (response, _version, at) => {
          ended();
          outcome.onResponse(response!, at);
        },
        onFailure: (error, at) => {
          ended();
          outcome.onFailure(error, at);
        },
      },
      now,
    );
  }

  get #longestJoinMs(): number {
    const { requestTimeoutMs, rebalanceTimeoutMs } = this.#settings;
    return Math.max(requestTimeoutMs, rebalanceTimeoutMs + joinGraceMs);
  }

  /**
   * A member that waits for its join sends no heartbeats. So nothing else tells of a connection that has fallen silent, and a group whose
   * coordinator never got the join goes on without this member after the time of a session.
   */
  get #repeatJoinMs(): number {
    const { requestTimeoutMs, sessionTimeoutMs } = this.#settings;
    return Math.min(this.#longestJoinMs, Math.max(requestTimeoutMs, sessionTimeoutMs));
  }

  /** Whether a join that is sent again takes the place of the first one. One without an id would be another member. */
  #isRepeatable(to: Destination, { memberId }: ClassicIdentity): boolean {
    return memberId !== '' || this.#settings.instanceId !== null || this.#isIdFirst(to);
  }

  #isIdFirst({ brokerId }: Destination): boolean {
    return (this.#host.requests.versionRange(brokerId, JoinGroup)?.max ?? 0) >= idFirstVersion;
  }

  #signed({ memberId, generation }: ClassicIdentity) {
    return { groupId: this.#settings.groupId, generationId: generation, memberId, ...this.#instance() };
  }

  #instance(): { groupInstanceId?: string } {
    const { instanceId } = this.#settings;
    return instanceId === null ? {} : { groupInstanceId: instanceId };
  }

  #protocols(generation: number, { topics, owned, lastOwned }: JoinContent): { name: string; metadata: Buffer }[] {
    const { rackId } = this.#settings;
    return this.#settings.assignors.map((name) => {
      const { userData, isCooperative } = assignors[name];
      const metadata = encodeSubscription({
        topics,
        userData: userData(isCooperative ? owned : lastOwned, generation),
        owned,
        generation,
        rackId: rackId === '' ? null : rackId,
      });
      return { name, metadata };
    });
  }
}

function codeOutcome(outcome: Outcome<number>): Outcome<{ readonly errorCode: number }> {
  return {
    onResponse: ({ errorCode }, at) => outcome.onResponse(errorCode, at),
    onFailure: (error, at) => outcome.onFailure(error, at),
  };
}
