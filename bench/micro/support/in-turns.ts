// Owns fair timing of alternatives on a machine that does other work too: each runs once in every round, in turns, and the best time of
// each counts. Any thread.

/** How many rounds run before the measured ones, so that the code is compiled. */
const warmUpRounds = 8;

/** The best time of each function in ns. */
export function bestInTurns<Name extends string>(
  measured: Readonly<Record<Name, () => void>>,
  rounds: number,
): Record<Name, number> {
  const names = Object.keys(measured) as Name[];
  const best = Object.fromEntries(names.map((name) => [name, Number.POSITIVE_INFINITY])) as Record<Name, number>;
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const name of names) {
      const start = process.hrtime.bigint();
      measured[name]();
      const ns = Number(process.hrtime.bigint() - start);
      if (round >= 0) best[name] = Math.min(best[name], ns);
    }
  }
  return best;
}
