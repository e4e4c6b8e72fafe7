// Cases that ended in something else than an error of this package, and were mended. Their seeds make them again as long as
// the target makes its cases in the same way; the unit test named beside each holds the value itself.

export interface FoundCase {
  readonly target: string;
  readonly caseSeed: number;
  /** The unit test of what was mended. */
  readonly test: string;
}

const asked =
  'unit/worker/admin/hostile-answers: a coordinator that is named for nobody who was asked about is an error of the items';
const session =
  'unit/worker/consumer/instance-wait: is sent again for the longest usual session when its length is without end';
export const found: readonly FoundCase[] = [
  { target: 'admin', caseSeed: -1418465481, test: asked },
  { target: 'admin', caseSeed: -576961891, test: asked },
  {
    target: 'admin',
    caseSeed: 431001590,
    test: 'unit/worker/admin/hostile-answers: no coordinator of a group is an error of each item',
  },
  {
    target: 'admin',
    caseSeed: 1778020943,
    test: 'unit/worker/admin/hostile-answers: a quorum without the partition that was asked about is an error',
  },
  // The fuzz itself had no answer for the question of a member whose instance id another one holds.
  { target: 'consumer', caseSeed: 1531307778, test: session },
  { target: 'consumer', caseSeed: 726627437, test: session },
];
