// Owns the requests of a membership in the classic protocol: their content, and the form that a broker's version needs. Network
// thread. Must not decide what an answer means.

import type { AssignorName, TopicPartition } from '../../common/config/consumer-config.ts';
import { Heartbeat, JoinGroup, LeaveGroup, SyncGroup } from '../../protocol/flat/generated/apis.ts';
import type { JoinGroupResponseView } from '../../protocol/flat/generated/join-group.ts';
import type { SyncGroupResponseView } from '../../protocol/flat/generated/sync-group.ts';
import type { Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { assignors } from './assignors/index.ts';
import { consumerProtocolType, encodeSubscription } from './consumer-protocol.ts';
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
  readonly #settings: ClassicSettings;

  constructor(host: RoleHost, settings: ClassicSettings) {
    this.#host = host;
    this.#settings = settings;
  }

  join(
    to: Destination,
    who: ClassicIdentity,
    content: JoinContent,
    outcome: Outcome<JoinGroupResponseView>,
    now: number,
  ): void {
    const { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#settings;
    this.#host.requests.send(
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
        onResponse: (response, _version, at) => outcome.onResponse(response!, at),
        onFailure: (error, at) => outcome.onFailure(error, at),
      },
      now,
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
    this.#host.requests.send(
      {
        to,
        api: SyncGroup,
        request: {
          ...this.#signed(who),
          ...(hasProtocol ? { protocolType: consumerProtocolType, protocolName } : {}),
          assignments,
        },
        timeoutMs: this.#longestJoinMs,
        onResponse: (response, _version, at) => outcome.onResponse(response!, at),
        onFailure: (error, at) => outcome.onFailure(error, at),
      },
      now,
    );
  }

  heartbeat(to: Destination, who: ClassicIdentity, outcome: Outcome<number>, now: number): void {
    const { requestTimeoutMs, sessionTimeoutMs } = this.#settings;
    this.#host.requests.send(
      {
        to,
        api: Heartbeat,
        request: this.#signed(who),
        timeoutMs: Math.min(requestTimeoutMs, sessionTimeoutMs),
        onResponse: (response, _version, at) => outcome.onResponse(response!.errorCode, at),
        onFailure: (error, at) => outcome.onFailure(error, at),
      },
      now,
    );
  }

  leave(to: Destination, memberId: string, outcome: Outcome<number>, now: number): void {
    const { groupId, requestTimeoutMs } = this.#settings;
    const hasMembers = (this.#host.requests.versionRange(to.brokerId, LeaveGroup)?.max ?? 0) >= membersVersion;
    this.#host.requests.send(
      {
        to,
        api: LeaveGroup,
        request: hasMembers ? { groupId, members: [{ memberId, ...this.#instance() }] } : { groupId, memberId },
        timeoutMs: requestTimeoutMs,
        onResponse: (response, _version, at) => outcome.onResponse(response!.errorCode, at),
        onFailure: (error, at) => outcome.onFailure(error, at),
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
  #isRepeatable({ brokerId }: Destination, { memberId }: ClassicIdentity): boolean {
    if (memberId !== '' || this.#settings.instanceId !== null) return true;
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
