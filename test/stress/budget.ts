// Owns how long stress tests run: STRESS_SECONDS for the whole folder, of which each test takes its share.

const defaultSeconds = 14;

/** Of a test that hangs: far beyond its share. */
export const hangTimeoutMs = 60_000 + totalSeconds() * 1000;

/** Calls `round` until `share` of the time is over, at least once. */
export async function repeat(share: number, round: (index: number) => Promise<void>): Promise<number> {
  const end = performance.now() + share * totalSeconds() * 1000;
  let rounds = 0;
  do await round(rounds++);
  while (performance.now() < end);
  return rounds;
}

function totalSeconds(): number {
  const given = process.env.STRESS_SECONDS;
  const seconds = given === undefined || given === '' ? defaultSeconds : Number(given);
  if (!(seconds > 0)) throw new Error(`STRESS_SECONDS is ${given}, must be a positive number`);
  return seconds;
}
