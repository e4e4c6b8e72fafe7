// Owns the goals of the project's figures, and what saved rows say of each. Any thread. A goal that nothing measures is told as such.

import { figure, type SavedRow } from './figures.ts';

export interface GoalResult {
  readonly what: string;
  readonly goal: string;
  /** The figure that counts, with the client that it is compared with. */
  readonly measured: string;
  readonly verdict: 'yes' | 'no' | 'not measured';
  /** By how much it is missed, and what was tried. */
  readonly note: string;
  /** Where the figure comes from. */
  readonly row: SavedRow | null;
}

interface Found {
  readonly value: number;
  readonly text: string;
  readonly row: SavedRow;
}

interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly limit: number;
  readonly is: 'at most' | 'at least';
  readonly find: (rows: readonly SavedRow[]) => Found | null;
  /** What was tried, for goals that are missed. */
  readonly tried?: string;
}

/** Those that are no Node clients of others. */
const noPeers = [
  /^bare socket/,
  /^Kafka's/,
  /^kafka-python/,
  /^this client/,
  /^its own/,
  /^the build of/,
  /^no client/,
];
const older = 'the build of 2026-11-22';
const platformatic = "@platformatic/kafka's Fetch and Produce";

const rate = 'recordsPerSecond';
const main = 'mainThreadMicrosecondsPerRecord';
const cpu = 'cpuMicrosecondsPerRecord';

function isPeer({ comparison }: SavedRow): boolean {
  return !noPeers.some((pattern) => pattern.test(comparison));
}

function rowsNamed(rows: readonly SavedRow[], benchmark: string, name: string): SavedRow[] {
  return rows.filter((row) => row.benchmark === benchmark && row.name === name);
}

/** The ratio to one other client. */
function beside(benchmark: string, name: string, comparison: string): Goal['find'] {
  return (rows) => {
    const row = rowsNamed(rows, benchmark, name).find((one) => one.comparison === comparison);
    return row === undefined ? null : { value: row.ratio, text: `${figure(row.ratio)} of ${comparison}`, row };
  };
}

/** The ratio to the Node client that comes nearest. */
function besideBest(benchmark: string, name: string, better: 'higher' | 'lower'): Goal['find'] {
  return (rows) => {
    const [row] = rowsNamed(rows, benchmark, name)
      .filter(isPeer)
      .sort((a, b) => (better === 'higher' ? a.ratio - b.ratio : b.ratio - a.ratio));
    return row === undefined ? null : { value: row.ratio, text: `${figure(row.ratio)} of ${row.comparison}`, row };
  };
}

/** Our own figure, whatever it was compared with. */
function own(benchmark: string, name: string): Goal['find'] {
  return (rows) => {
    const row = rowsNamed(rows, benchmark, name)[0];
    return row === undefined ? null : { value: row.ours, text: `${figure(row.ours)} ${row.unit}`, row };
  };
}

/** One client of a workload against the Node client of others that is cheapest there. */
function variantBesideCheapest(benchmark: string, name: string, variant: string): Goal['find'] {
  return (rows) => {
    const all = rowsNamed(rows, benchmark, name);
    const row = all.find(({ comparison }) => comparison === variant);
    const [cheapest] = all.filter(isPeer).sort((a, b) => a.theirs - b.theirs);
    if (row === undefined || cheapest === undefined) return null;
    const value = row.theirs / cheapest.theirs;
    return { value, text: `${figure(value)} of ${cheapest.comparison}`, row: cheapest };
  };
}

/** The CPU of all threads but the main one, per record, against another client. */
function otherThreads(benchmark: string, name: string, comparison: string): Goal['find'] {
  return (rows) => {
    const [mains, alls] = [main, cpu].map((metric) =>
      rowsNamed(rows, benchmark, `${name}: ${metric}`).find((row) => row.comparison === comparison),
    );
    if (mains === undefined || alls === undefined) return null;
    const value = (alls.ours - mains.ours) / (alls.theirs - mains.theirs);
    return { value, text: `${figure(value)} of ${comparison}`, row: alls };
  };
}

/** The worst of several figures of one run, such as counts that must be 0. */
function sum(benchmark: string, names: readonly string[]): Goal['find'] {
  return (rows) => {
    const found = names.flatMap((name) => rowsNamed(rows, benchmark, name).slice(0, 1));
    if (found.length < names.length) return null;
    const value = found.reduce((all, row) => all + row.ours, 0);
    return { value, text: figure(value), row: found[0]! };
  };
}

const sizes = ['100 B', '1 KiB'] as const;

const produce: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const name = `produce ${size}`;
  const times = size === '100 B' ? 4 : 3;
  const share = size === '100 B' ? 12 : 5;
  const row = (metric: string): [string, string] => ['peers/produce', `${name}: ${metric}`];
  return [
    {
      what: `CPU of all threads per produced record, ${size}`,
      goal: `at most 0.5 of ${older}`,
      limit: 0.5,
      is: 'at most',
      find: beside(...row(cpu), older),
    },
    {
      what: `produce rate, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest(...row(rate), 'higher'),
    },
    {
      what: `produce rate, ${size}`,
      goal: "at least 2 x Java's",
      limit: 2,
      is: 'at least',
      find: beside(...row(rate), "Kafka's Java client"),
    },
    {
      what: `main-thread CPU per produced record, ${size}`,
      goal: `at most 1/${share} of the cheapest Node client`,
      limit: 1 / share,
      is: 'at most',
      find: besideBest(...row(main), 'lower'),
    },
  ];
});

const fetch: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const isSmall = size === '100 B';
  const [cursor, buffers, times] = isSmall ? [0.05, 0.1, 6] : [0.083, 0.13, 2.5];
  return [
    {
      what: `main-thread CPU per record fetched by cursor, without recycle, ${size}`,
      goal: `at most ${cursor} of the cheapest Node client`,
      limit: cursor,
      is: 'at most',
      find: besideBest('peers/consume', `fetch ${size}: ${main}`, 'lower'),
    },
    {
      what: `main-thread CPU per consumed record with a Buffer for each key and value, ${size}`,
      goal: `at most ${buffers} of the cheapest Node client`,
      limit: buffers,
      is: 'at most',
      find: variantBesideCheapest('peers/consume', `consume ${size}: ${main}`, 'this client, a Buffer for each value'),
    },
    ...(isSmall
      ? [
          {
            what: 'CPU of other threads per fetched record, 100 B',
            goal: `at most 0.65 of ${older}`,
            limit: 0.65,
            is: 'at most' as const,
            find: otherThreads('peers/consume', 'fetch 100 B', older),
          },
        ]
      : []),
    {
      what: `fetch rate, main thread idle, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest('peers/consume', `fetch ${size}: ${rate}`, 'higher'),
    },
    {
      what: `consume rate in a group, main thread idle, ${size}`,
      goal: `at least ${times} x the best Node client`,
      limit: times,
      is: 'at least',
      find: besideBest('peers/consume', `consume ${size}: ${rate}`, 'higher'),
    },
    {
      what: `fetch rate, ${size}`,
      goal: 'share of a socket that throws the bytes away: reported',
      limit: 0,
      is: 'at least',
      find: beside('peers/consume', `fetch ${size}: ${rate}`, 'bare socket'),
    },
  ];
});

const group: readonly Goal[] = [
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
          'lookups that are awaited no longer than needed, connections while they run: four round trips fewer; the start of a worker and its modules remain',
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

const load: readonly Goal[] = sizes.flatMap((size): Goal[] => {
  const [short, long] = ['20 ms', '1 s'].map((block) => `consume ${size}, main thread 90 % busy in blocks of ${block}`);
  const work = `${rate} x applicationShare`;
  return [
    {
      what: `90 % busy in blocks of 20 ms, ${size}: the application's share of the wall`,
      goal: 'at least 0.85',
      limit: 0.85,
      is: 'at least',
      find: own('peers/load', `${short}: applicationShare`),
    },
    {
      what: `90 % busy in blocks of 20 ms, ${size}: rate`,
      goal: 'at least 0.7 of the idle rate',
      limit: 0.7,
      is: 'at least',
      find: beside('peers/load', `${short}: ${rate}`, 'its own rate with an idle main thread'),
    },
    {
      what: `90 % busy in blocks of 20 ms, ${size}: records x application work`,
      goal: 'at least 10 x the best Node client',
      limit: 10,
      is: 'at least',
      find: besideBest('peers/load', `${short}: ${work}`, 'higher'),
    },
    {
      what: `90 % busy in blocks of 1 s, ${size}: records x application work`,
      goal: 'at least 10 x the best Node client',
      limit: 10,
      is: 'at least',
      find: besideBest('peers/load', `${long}: ${work}`, 'higher'),
    },
  ];
});

const others: readonly Goal[] = [
  {
    what: 'small request, awaited, p50',
    goal: 'at most 1.3 x @platformatic/kafka',
    limit: 1.3,
    is: 'at most',
    find: beside('peers/requests', 'small request, one after the other: medianUs', platformatic),
    tried:
      'two doorbells and a socket without a client take 1.2 to 1.25 x a bare socket: one wake-up keeps the waking thread 30 to 43 us; lingering, fewer promises and a look before sleeping gained nothing',
  },
  {
    what: 'small request, pollSync, p50',
    goal: 'at most 1.0 x @platformatic/kafka',
    limit: 1,
    is: 'at most',
    find: beside('peers/requests', 'small request, one after the other: syncMedianUs', platformatic),
    tried: 'the same: what is left are the wake-ups of two threads',
  },
  {
    what: '1,000 requests at once, time',
    goal: 'at most 1.0 x the best Node client',
    limit: 1,
    is: 'at most',
    find: besideBest('peers/requests', '1,000 small requests at once: medianUs', 'lower'),
  },
  {
    what: 'cold start to the first record, time',
    goal: 'at most that of kafkajs',
    limit: 1,
    is: 'at most',
    find: beside('peers/start', 'cold start: time to the first record', 'kafkajs'),
    tried:
      'one bundled file for each thread, lazy imports, no undici: the CPU fell to 0.39; the start of a worker remains',
  },
  {
    what: 'cold start: time to import',
    goal: 'at most that of kafkajs',
    limit: 1,
    is: 'at most',
    find: beside('peers/start', 'cold start: time to import', 'kafkajs'),
  },
  {
    what: 'cold start: CPU',
    goal: `at most 0.5 of ${older}`,
    limit: 0.5,
    is: 'at most',
    find: beside('peers/start', 'cold start: CPU of the process, all threads', older),
  },
  ...(['consume 100 B', 'produce 100 B'] as const).flatMap((name): Goal[] => {
    const benchmark = name.startsWith('consume') ? 'peers/consume' : 'peers/produce';
    return [
      {
        what: `event-loop delay caused by us at full speed, ${name}: p99`,
        goal: 'below 1 ms',
        limit: 1,
        is: 'at most',
        find: own(benchmark, `${name}: delayP99Ms`),
      },
      {
        what: `event-loop delay caused by us at full speed, ${name}: worst`,
        goal: 'below 5 ms',
        limit: 5,
        is: 'at most',
        find: own(benchmark, `${name}: delayMaxMs`),
      },
    ];
  }),
  ...(['15 s', '60 s'] as const).flatMap((block): Goal[] => {
    const row = (metric: string): string => `main thread blocked for ${block}: ${metric}`;
    return [
      {
        what: `main thread blocked for ${block}: errors, disconnects, evictions, records twice or never read`,
        goal: 'none',
        limit: 0,
        is: 'at most',
        find: sum('peers/blocked', ['errors', 'disconnects', 'evictions', 'duplicates', 'neverRead'].map(row)),
      },
      {
        what: `main thread blocked for ${block}: memory after it beside before`,
        goal: 'at most 1.1 x',
        limit: 1.1,
        is: 'at most',
        find: own('peers/blocked', row('memoryGrowth')),
      },
    ];
  }),
];

const commandLine: readonly Goal[] = (
  [
    ['`--version`, CPU', 'below 60 ms', '--version, CPU at most', 'the goal', 'at most'],
    ['`metadata`, time', 'at most 2 x kcat', 'metadata, time at most', '2 times kcat', 'at most'],
    [
      '`consume` of 100 B to /dev/null, rate',
      'at least 1.5 x kcat',
      'consume of 100 B to /dev/null, at least',
      '1.5 times kcat',
      'at least',
    ],
    [
      '`produce` of a file of 1 GB, rate',
      'at least 1.0 x kcat',
      'produce of a file of 1 GB, at least',
      'kcat',
      'at least',
    ],
    [
      '`offsets` of 10,000 topics, memory of a topic',
      'as with 5,000',
      'offsets of 10,000 topics, memory of a topic, at most',
      '1.1 of that with 5,000',
      'at most',
    ],
  ] as const
).map(([what, goal, name, comparison, is]) => {
  return { what: `command line: ${what}`, goal, limit: 1, is, find: beside('peers/cli', `goal: ${name}`, comparison) };
});

const goals: readonly Goal[] = [...produce, ...fetch, ...group, ...load, ...others, ...commandLine];

/** @param rows the newest of each name and comparison */
export function goalResults(rows: readonly SavedRow[]): GoalResult[] {
  return goals.map(({ what, goal, limit, is, find, tried }) => {
    const found = find(rows);
    if (found === null) {
      return { what, goal, measured: 'not measured yet', verdict: 'not measured', note: '', row: null };
    }
    const { value, text, row } = found;
    const isMet = is === 'at most' ? value <= limit : value >= limit;
    const note = isMet ? '' : [missedBy(value, limit, is), tried].filter((part) => part !== undefined).join('; ');
    return { what, goal, measured: text, verdict: isMet ? 'yes' : 'no', note, row };
  });
}

function missedBy(value: number, limit: number, is: Goal['is']): string {
  if (limit === 0) return `${figure(value)} too many`;
  const factor = is === 'at most' ? value / limit : limit / value;
  return `missed by a factor of ${figure(factor)}`;
}
