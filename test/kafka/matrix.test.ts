// Old and new brokers: some that cannot send their version, one for each record format, the last one that needs ZooKeeper, the newest.
// `npm run matrix` checks one of every minor version.

import { after, before, test } from 'node:test';
import { compareVersions, describeKafka } from './fixture/index.ts';
import { checks } from './matrix/checks.ts';
import { Session } from './matrix/session.ts';

for (const release of ['0.8.2.2', '0.9.0.1', '0.10.2.2', '2.8.2', '4.3.0', '4.4.0']) {
  describeKafka(
    `Kafka ${release}`,
    (suite) => {
      let session: Session;
      before(async () => {
        session = await Session.open(suite.kafka, release);
      });
      after(() => session?.close());
      for (const { name, since, run } of checks) {
        if (compareVersions(release, since) >= 0)
          test(name, { timeout: 300_000 }, async () => void (await run(session)));
      }
    },
    { version: release, ownBroker: true },
  );
}
