// Administration calls about configurations.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { describeCluster } from '../../../../src/worker/admin/calls/cluster.ts';
import {
  describeConfigs,
  incrementalAlterConfigs,
  listConfigResources,
} from '../../../../src/worker/admin/calls/configs.ts';
import { anyBroker } from '../../../../src/worker/client/broker-requests.ts';
import { FakeHost } from './fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

test('requests about one broker go to that broker, and other requests to any broker', async () => {
  host.reply = ({ request }) => {
    const { resources } = request as { resources: { resourceType: number; resourceName: string }[] };
    const configs = [
      { name: 'a', value: 'x', configSource: 5 },
      { name: 'secret', value: null, isSensitive: true, configSource: 1 },
    ];
    return {
      response: {
        results: resources.map(({ resourceType, resourceName }) => ({ resourceType, resourceName, configs })),
      },
    };
  };
  const resources = [
    { type: 'topic', name: 't' },
    { type: 'broker', name: '3' },
    { type: 'broker', name: '' },
  ] as const;
  const results = await host.run(
    describeConfigs(host.call(), { resources, includeSynonyms: false, includeDocumentation: false }),
  );
  assert.deepEqual(
    host.asked.map(({ brokerId }) => brokerId).sort((a, b) => a - b),
    [anyBroker, 3],
  );
  assert.equal(results.length, 3);
  const outcome = results[0]![1];
  assert.ok(outcome.ok);
  assert.deepEqual(
    outcome.value.map(({ name, value, isDefault, isSensitive }) => [name, value, isDefault, isSensitive]),
    [
      ['a', 'x', true, false],
      ['secret', null, false, true],
    ],
  );
});

test('each resource gets its own changes', async () => {
  host.reply = ({ request }) => {
    const { resources } = request as {
      resources: { resourceType: number; resourceName: string; configs: { configOperation: number }[] }[];
    };
    assert.deepEqual(
      resources.flatMap(({ configs }) => configs.map(({ configOperation }) => configOperation)),
      [0, 1, 2],
    );
    const responses = resources.map((resource, i) => ({
      ...resource,
      errorCode: i === 1 ? 40 : 0,
      errorMessage: 'no',
    }));
    return { response: { responses: responses.map(({ configs: _, ...rest }) => rest) } };
  };
  const resources = [
    {
      resource: { type: 'topic', name: 'a' },
      changes: [
        { name: 'x', operation: 'set', value: '1' },
        { name: 'y', operation: 'delete' },
      ],
    },
    { resource: { type: 'topic', name: 'b' }, changes: [{ name: 'z', operation: 'append', value: 'q' }] },
  ] as const;
  const results = await host.run(incrementalAlterConfigs(host.call(), { resources, validateOnly: false }));
  assert.deepEqual(
    results.map(([{ name }, outcome]) => [name, outcome.ok]),
    [
      ['a', true],
      ['b', false],
    ],
  );
});

test('listConfigResources needs a newer broker for everything except client metrics', async () => {
  const versions: (number | undefined)[] = [];
  host.reply = (_asked, { minVersion }) => {
    versions.push(minVersion);
    return { response: { configResources: [{ resourceName: 'm', resourceType: 16 }] } };
  };
  assert.deepEqual(await host.run(listConfigResources(host.call(), { types: ['clientMetrics'] })), [
    { type: 'clientMetrics', name: 'm' },
  ]);
  await host.run(listConfigResources(host.call(), { types: ['topic', 'group'] }));
  assert.deepEqual(versions, [undefined, 1]);
});

test('describeCluster uses Metadata for brokers without DescribeCluster', async () => {
  host.reply = ({ api }) =>
    api === 'DescribeCluster'
      ? { error: new UnsupportedVersionError('not known here') }
      : { response: { clusterId: 'c', controllerId: 1, brokers: [{ nodeId: 1, host: 'h', port: 9092 }] } };
  const asked = { includeFencedBrokers: false, includeAuthorizedOperations: false };
  const cluster = await host.run(describeCluster(host.call(), asked));
  assert.deepEqual(cluster, {
    clusterId: 'c',
    controllerId: 1,
    brokers: [{ nodeId: 1, host: 'h', port: 9092, rack: null, isFenced: false }],
    authorizedOperations: null,
  });
  await assert.rejects(
    host.run(describeCluster(host.call(), { ...asked, includeFencedBrokers: true })),
    UnsupportedVersionError,
  );
});
