// Owns what a contender's process is told and what it answers. Any thread. Types only.

import type { Place, ReadSettings, RequestSettings, WriteSettings } from './peer.ts';
import type { PeerName } from './registry.ts';

export const works = ['write', 'read', 'request'] as const;
export type Work = (typeof works)[number];

export interface Load {
  /** The main thread works without a pause for so long. 0: it is idle. */
  readonly blockMs: number;
  /** The share of the time that it works: 0.5 or 0.9. */
  readonly share: number;
}

export interface Job extends Place, WriteSettings, ReadSettings, RequestSettings {
  readonly peer: PeerName;
  readonly work: Work;
  readonly load: Load;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Processes that are part of the measured work, such as the broker's: they are no foreign load. */
  readonly ownPids: readonly number[];
  /** Where profiles of the threads are written, if anywhere. */
  readonly profileFolder: string | null;
}

/** By name, such as `recordsPerSecond`. */
export type Figures = Readonly<Record<string, number>>;

export interface Answer {
  readonly version: string;
  readonly settings: string;
  readonly figures: Figures;
  /** CPU by the name of the thread, in shares of one core. */
  readonly threads: Figures;
  /** The share of the machine's cores that other programs had. */
  readonly foreign: number;
}
