// The embedded broker against what was measured on real brokers. test/kafka/fixture/broker-facts.test.ts puts the same
// questions to a real one.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Asker } from '../../helpers/broker-facts/asker.ts';
import { clusterFacts } from '../../helpers/broker-facts/cluster-facts.ts';
import { allBrokerFacts } from '../../helpers/broker-facts/index.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess } from '../../helpers/embedded-broker.ts';

describe('the embedded broker answers as was measured', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBrokerInProcess();
  });

  after(async () => {
    await broker.close();
  });

  for (const [about, facts] of Object.entries(allBrokerFacts)) {
    describe(about, () => {
      for (const [name, { ask, expected }] of Object.entries(facts)) {
        test(name, async () => {
          const asker = await Asker.connect(broker.nodes[0]!.port);
          try {
            assert.deepEqual(await ask(asker), expected);
          } finally {
            asker.close();
          }
        });
      }
    });
  }
});

describe('an embedded cluster of three answers as was measured', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    const nodes = [1, 2, 3].map((id) => ({ id, rack: `r${id}` }));
    broker = await startEmbeddedBrokerInProcess({ nodes, isRackAware: true });
  });

  after(async () => {
    await broker.close();
  });

  for (const [name, { ask, expected }] of Object.entries(clusterFacts)) {
    test(name, async () => {
      const askers = new Map<number, Asker>();
      try {
        for (const { id, port } of broker.nodes) askers.set(id, await Asker.connect(port));
        assert.deepEqual(await ask(askers), expected);
      } finally {
        for (const asker of askers.values()) asker.close();
      }
    });
  }
});
