// Owns the goals of reading in groups. Any thread.

import { beside, besideBest, cpu, type Goal, main, own, rate, sizes, variantBesideCheapest } from './goal-finders.ts';

export const group: readonly Goal[] = [
  ...sizes.flatMap((size): Goal[] => {
    const [share, times] = size === '100 B' ? [20, 3] : [12, 2];
    const row = (metric: string): [string, string] => ['peers/consume', `consume ${size}: ${metric}`];
    return [
      {
        what: `main-thread CPU per record consumed in a group by cursor, ${size}`,
        goal: `at most 1/${share} of the cheapest Node client`,
        limit: 1 / share,
        is: 'at most',
        find: besideBest(...row(main), 'lower'),
      },
      {
        what: `the same with a Buffer for each key and value, ${size}`,
        goal: 'at most 1/5 of the cheapest Node client',
        limit: 1 / 5,
        is: 'at most',
        find: variantBesideCheapest(...row(main), 'this client, a Buffer for each value'),
      },
      {
        what: `rate in a group, main thread idle, ${size}`,
        goal: `at least ${times} x the best Node client`,
        limit: times,
        is: 'at least',
        find: besideBest(...row(rate), 'higher'),
      },
      {
        what: `rate in a group, main thread idle, ${size}`,
        goal: "at least 1.5 x Java's",
        limit: 1.5,
        is: 'at least',
        find: beside(...row(rate), "Kafka's Java client"),
      },
      {
        what: `cold start to the first record in a group, ${size}`,
        goal: 'at most the fastest Node client',
        limit: 1,
        is: 'at most',
        find: besideBest(...row('firstRecordMs'), 'lower'),
        tried:
          'lookups that are awaited no longer than needed, connections while they run: four round trips fewer; the code of a consumer is loaded while connections are made; the start of a worker and its modules remain',
      },
    ];
  }),
  {
    what: 'group, 90 % busy in blocks of 20 ms, 100 B: rate',
    goal: 'at least 0.95 of the idle rate',
    limit: 0.95,
    is: 'at least',
    find: beside(
      'peers/load',
      `consume 100 B, main thread 90 % busy in blocks of 20 ms: ${rate}`,
      'its own rate with an idle main thread',
    ),
  },
  {
    what: "group, 90 % busy in blocks of 20 ms, 100 B: the application's share of the wall",
    goal: 'at least 98 % of what it asked for (0.882)',
    limit: 0.882,
    is: 'at least',
    find: own('peers/load', 'consume 100 B, main thread 90 % busy in blocks of 20 ms: applicationShare'),
  },
  {
    what: 'four threads as one member: rate beside four members of a Node client',
    goal: 'reported',
    limit: 0,
    is: 'at least',
    find: besideBest('peers/consume', `consume 100 B with four threads: ${rate}`, 'higher'),
  },
  {
    what: 'four threads as one member: CPU of all threads per record beside four members of a Node client',
    goal: 'reported',
    limit: Number.POSITIVE_INFINITY,
    is: 'at most',
    find: besideBest('peers/consume', `consume 100 B with four threads: ${cpu}`, 'lower'),
  },
];
