// A client leaves no memory behind after its end, in whatever way it ended.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { startChild } from './support/child.ts';
import type { EndedArguments } from './support/scripts/ended-clients.ts';

let broker: EmbeddedBroker;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { logs: 1 } });
});

after(async () => {
  await broker.close();
});

const manners: Record<EndedArguments['manner'], string> = {
  idle: 'clients that did nothing and were closed',
  used: 'clients that were used and closed',
  lost: 'clients whose network thread was lost',
  'failed-start': 'clients that could not start',
  roles: 'clients with producers and consumers',
  'lost-roles': 'producers and consumers whose network thread was lost',
  attached: 'attached clients',
};

for (const [manner, what] of Object.entries(manners)) {
  test(`${what} leave nothing in memory`, { timeout: 300_000 }, async (t) => {
    const args: EndedArguments = {
      options: { bootstrapServers: broker.bootstrapServers, logLevel: 'silent' },
      manner: manner as EndedArguments['manner'],
      // What one leaves behind is left by each.
      clients: manner.endsWith('roles') || manner === 'attached' ? 3 : 8,
    };
    const { exitCode, stdout, stderr } = await startChild(t, 'ended-clients', args, { execArgv: ['--expose-gc'] })
      .ended;
    assert.equal(stderr, '');
    assert.match(stdout, /^0 of \d\d+ buffers left\n$/);
    assert.equal(exitCode, 0);
  });
}
