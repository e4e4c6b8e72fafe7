// A short run of every fuzz target; `npm run fuzz -- --minutes N` runs longer. SEED repeats a run.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { projectFolder } from '../../scripts/project.ts';
import * as apis from '../../src/protocol/flat/generated/apis.ts';
import { Random, seed } from '../unit/protocol/support/random.ts';
import { found } from './found.ts';
import { answeredApis } from './support/plausible.ts';
import { caseSeedOf, runCase, runTarget } from './support/target.ts';
import { targets } from './targets/index.ts';

/** Each takes about a second. */
const cases: Readonly<Record<string, number>> = {
  client: 25,
  login: 25,
  tls: 150,
  frames: 600,
  scram: 300,
  consumer: 400,
  producer: 400,
  admin: 1500,
};
const usualCases = 3000;
/** What these run goes on whatever comes, so that no case ends in an error. */
const endsItself = new Set(['client', 'login', 'tls', 'consumer', 'producer', 'schedule']);

describe('hostile input ends in errors of this package only', () => {
  for (const target of targets) {
    test(target.name, async (t) => {
      const maxCases = cases[target.name] ?? usualCases;
      const summary = await runTarget(target, seed, (done) => done >= maxCases);
      t.diagnostic(`${summary.cases} cases, ${summary.typed} errors, SEED=${seed}`);
      assert.deepEqual(summary.findings, []);
      assert.ok(summary.typed > 0 || endsItself.has(target.name), 'no input was refused: the target tests nothing');
      assert.ok(summary.typed < summary.cases || target.name === 'scram', 'all input was refused');
    });
  }

  test('cases that once failed', async () => {
    for (const { target: name, caseSeed } of found) {
      const target = targets.find((other) => other.name === name)!;
      await target.prepare();
      assert.equal((await runCase(target, caseSeed)).finding, null, `${name} ${caseSeed}`);
    }
  });

  test('there is a plausible answer to each request of producers and consumers', () => {
    const names = ['consumer', 'producer'].flatMap((room) => {
      const folder = join(projectFolder, 'src', 'worker', room);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
      const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
      return texts.flatMap((text) =>
        [...text.matchAll(/^import \{ ([^}]*) \} from '.*\/generated\/apis\.ts';$/gm)].flatMap(([, list]) =>
          list!.split(', '),
        ),
      );
    });
    assert.ok(names.includes('Heartbeat') && names.includes('EndTxn'), `the imports were not found: ${names}`);
    // The target answers Produce itself.
    const missing = names.filter((name) => {
      const { key } = (apis as unknown as Record<string, { readonly key: number }>)[name]!;
      return name !== 'Produce' && !answeredApis.has(key);
    });
    assert.deepEqual(missing, []);
  });

  test('the same seed gives the same case', async () => {
    const [target] = targets;
    await target!.prepare();
    const inputs = (): string[] => {
      const seen: string[] = [];
      for (let n = 0; n < 20; n++) {
        const note = (what: string, bytes: object): unknown =>
          seen.push(`${what} ${Buffer.from(bytes as Uint8Array).toString('hex')}`);
        try {
          target!.run(new Random(caseSeedOf(7, n)), { note });
        } catch (error) {
          seen.push(String(error));
        }
      }
      return seen;
    };
    assert.deepEqual(inputs(), inputs());
  });
});
