// Owns the time that tests give a client to start. It is only a bound on a test that would hang: a start that succeeds ends when it has
// succeeded, however slow the machine is. Runs in the test's thread and in child processes of tests.

export const patient = { apiVersionAutoTimeoutMs: 90_000 } as const;

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Arguments of `node` for programs of the documentation and examples, which run as they are given: their clients are patient, too. */
export const patientNode: readonly string[] = ['--import', new URL(`./patient-start${suffix}`, import.meta.url).href];
