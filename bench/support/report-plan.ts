// Owns the order of the whole report and its hour: what the goals are about comes first, with all rounds; wide tables come last, with fewer
// rounds when the report is late. Any thread. Must not measure.

/** `goals`: what has a goal. `tables`: the rest. A benchmark that is run by its name alone does both. */
export type Part = 'goals' | 'tables';

export interface Step {
  /** The folder and the name of a benchmark. */
  readonly name: string;
  /** Default: the whole benchmark. */
  readonly part?: Part;
}

export const reportPlan: readonly Step[] = [
  { name: 'peers/requests' },
  { name: 'peers/start' },
  { name: 'peers/produce', part: 'goals' },
  { name: 'peers/consume', part: 'goals' },
  { name: 'peers/load', part: 'goals' },
  { name: 'peers/threads' },
  { name: 'peers/cli' },
  { name: 'macro/produce' },
  { name: 'peers/blocked' },
  { name: 'peers/profiles' },
  { name: 'peers/load', part: 'tables' },
  { name: 'peers/consume', part: 'tables' },
  { name: 'peers/produce', part: 'tables' },
  { name: 'peers/secure' },
  { name: 'peers/partitions' },
  { name: 'peers/distance' },
  { name: 'peers/growth' },
];

/** Without a part everything belongs to it. */
export function isIn(part: Part | undefined, { isTable }: { readonly isTable?: boolean }): boolean {
  return part === undefined || (part === 'tables') === (isTable ?? false);
}

export interface Hour {
  /** From then on there are no more than so many rounds. */
  readonly limits: readonly { readonly afterMinutes: number; readonly rounds: number }[];
}

/** An install, when there is one, is a part of the time. Zero rounds: what is left is told as not measured. */
const wholeHour: Hour = {
  limits: [
    { afterMinutes: 57, rounds: 0 },
    { afterMinutes: 50, rounds: 1 },
    { afterMinutes: 40, rounds: 2 },
  ],
};
const quickHour: Hour = { limits: [{ afterMinutes: 9, rounds: 0 }] };

/** How many rounds a workload has that begins so many ms after the report. */
export function roundsAt(elapsedMs: number, rounds: number, isQuick: boolean): number {
  const { limits } = isQuick ? quickHour : wholeHour;
  const limit = limits.find(({ afterMinutes }) => elapsedMs >= afterMinutes * 60_000);
  return Math.min(rounds, limit?.rounds ?? rounds);
}
