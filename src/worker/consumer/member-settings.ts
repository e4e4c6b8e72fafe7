// Owns what a member of KIP-848 is set to. Types only. Network thread. Must not hold state.

import type { HeartbeatSettings } from './heartbeat-content.ts';

export interface MemberSettings extends HeartbeatSettings {
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly excludeInternalTopics: boolean;
  /** How long a member tries again while its broker fails inside. */
  readonly troubleLimitMs: number;
  readonly newMemberId: () => string;
}
