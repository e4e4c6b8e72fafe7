// Owns the flags of the command `groups`. Types only.

export interface GroupFlags {
  readonly list?: boolean;
  readonly describe?: boolean;
  readonly resetOffsets?: boolean;
  readonly delete?: boolean;
  readonly deleteOffsets?: boolean;
  readonly group?: readonly string[];
  readonly allGroups?: boolean;
  readonly topic?: readonly string[];
  readonly allTopics?: boolean;
  readonly state?: string | true;
  readonly type?: string | true;
  readonly members?: boolean;
  readonly offsets?: boolean;
  readonly execute?: boolean;
  readonly dryRun?: boolean;
  readonly export?: boolean;
  readonly fromFile?: string;
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toCurrent?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
}
