// Owns the shape of what a consumer's role is made with. Network thread. Types only.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { ConsumerSnapshot } from '../../common/consumer-calls.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import type { ConsumerReport } from './consumer-report.ts';
import type { RecordDecoder } from './dealer.ts';

/** The settings of the role and those of its client. */
export interface RoleSettings {
  readonly config: ConsumerConfig;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly metadataMaxAgeMs: number;
  readonly decode: DecodeOptions;
  readonly decoder: RecordDecoder | null;
  readonly prefixBytes: number;
  readonly newMemberId: () => string;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  readonly report: ConsumerReport;
  readonly onSnapshot: (snapshot: ConsumerSnapshot) => void;
  /** Called when the consumer has ended. */
  readonly onClosed: () => void;
}
