// Owns the goals of reading in groups. Any thread.

import { beside, besideBest, cpu, type Goal, main, own, rate, sizes, variantBesideCheapest } from './goal-finders.ts';

export const buffersTried =
  'records are read where they lie, and a Buffer of a key or value is a view of that memory; its batch may be kept, so the memory does not go back by itself and the collector frees it, which takes a third of the main thread at 1 KiB; recycle gives it back (docs/consumer.md); a copy of each value instead, so that the memory can go back, took the main thread twice as long';
export const consumeRateTried =
  'records are decoded in the frame that they came in, the next fetch is sent before the decoding, memory goes back by itself when only cursors have read it: 2.6 to 5 x at 100 B, 1.0 to 1.6 x at 1 KiB; the network thread then has 0.7 to 0.8 of a core and the broker shares the two cores with it';
export const busyTried =
  'an application that works 90 % of the time has nine tenths of one of the two cores; broker and network thread, which have more than one core while it is idle, get what is left: the network thread 0.37 to 0.38 instead of 0.8 of a core. Beside another thread that works as much, a busy producer keeps its rate (the row of the Producer beside another busy thread); the rows "beside a process 90 % busy in blocks of 20 ms" say what a consumer with an idle main thread keeps';

export const shareTried =
  'while the thread works, 64 small batches wait for it instead of 8: the rate is 0.49 instead of 0.34 of the idle rate at 1 KiB, and reading that much more between two blocks takes the share from 0.9 to 0.8';

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
        tried: buffersTried,
      },
      {
        what: `rate in a group, main thread idle, ${size}`,
        goal: `at least ${times} x the best Node client`,
        limit: times,
        is: 'at least',
        find: besideBest(...row(rate), 'higher'),
        tried: consumeRateTried,
      },
      {
        what: `rate in a group, main thread idle, ${size}`,
        goal: "at least 1.5 x Java's",
        limit: 1.5,
        is: 'at least',
        find: beside(...row(rate), "Kafka's Java client"),
        tried: consumeRateTried,
      },
      {
        what: `cold start to the first record in a group, ${size}`,
        goal: 'at most the fastest Node client',
        limit: 1,
        is: 'at most',
        find: besideBest(...row('coldStartMs'), 'lower'),
        tried:
          'lookups that are awaited no longer than needed, connections while they run: four round trips fewer; the code of a consumer is loaded while connections are made, and no code of producers; the ids of members need no module of Node, and WebAssembly of zstd is loaded while answers are on their way: 0.93 of the time before these three. Between the requests nothing waits; the start of a worker and its modules remain',
      },
    ];
  }),
  ...sizes.flatMap((size): Goal[] => {
    const name = `consume ${size}, main thread 90 % busy in blocks of 20 ms`;
    return [
      {
        what: `group, 90 % busy in blocks of 20 ms, ${size}: rate`,
        goal: 'at least 0.95 of the idle rate',
        limit: 0.95,
        is: 'at least',
        find: beside('peers/load', `${name}: ${rate}`, 'its own rate with an idle main thread'),
        tried: busyTried,
      },
      {
        what: `group, 90 % busy in blocks of 20 ms, ${size}: the application's share of the wall`,
        goal: 'at least 98 % of what it asked for (0.882)',
        limit: 0.882,
        is: 'at least',
        find: own('peers/load', `${name}: applicationShare`),
        tried: shareTried,
      },
    ];
  }),
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
