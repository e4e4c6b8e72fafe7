// The programs and fragments of the pages in docs that have no test of their own run as they are given, each on a cluster of its own, and do
// what the page says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patientNode } from '../helpers/patience.ts';

const run = promisify(execFile);
const limitMs = 300_000;
const library = new URL('../../src/index.js', import.meta.url).href;
const testing = new URL('../../src/testing/index.js', import.meta.url).href;

/** Pages whose programs other tests run, or the reason why they cannot run here. */
const elsewhere: Readonly<Record<string, string>> = {
  'consumer.md': 'test/broker/consumer-page.test.ts',
  'guide.md': 'test/broker/guide-page.test.ts',
  'producer.md': 'test/broker/producer-page.test.ts',
  'reliability.md': 'test/broker/reliability-page.test.ts',
  'security.md': 'test/kafka/security/security-page.test.ts',
  'bundlers.md': 'npm run test:bundlers: the programs need bundlers, and the package as it is published',
};

interface Fragment {
  /** What the page takes for granted. */
  readonly head?: string;
  /** What shows that the fragment did its work, and ends it. */
  readonly tail?: string;
  /** The standard output. */
  readonly prints: RegExp;
  /** Not a program: it is written to this file, and the fragment before it runs it. */
  readonly file?: string;
  /** The cluster makes no topic by itself. */
  readonly isWithoutNewTopics?: boolean;
}

const start = `
import * as library from 'offthread-kafka';
const client = await library.KafkaClient.start({ bootstrapServers: process.env.KAFKA_BOOTSTRAP_SERVERS, metrics: true, apiVersionAutoTimeoutMs: 90_000 });
`;
const end = '\nawait client.close();\n';
const requests = `${start}
await client.setTopics(['payments']);
const place = { topic: 'payments', partition: 0 };
const leader = client.cluster.leaderForPartition(place);
await client.awaitReady(leader);
const topicId = client.cluster.topicId('payments');
const fetched0 = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }];
const fetchRequest = { maxWaitMs: 500, minBytes: 1, topics: [{ topic: 'payments', topicId, partitions: fetched0 }] };
const partitionData = [{ index: 0, records: [{ value: 'paid' }] }];
const produceRequest = { acks: -1, timeoutMs: 30_000, topicData: [{ name: 'payments', topicId, partitionData }] };
`;
const roles = `${start}
const producer = await client.producer();
await producer.send('orders', { value: 'one' });
const consumer = await client.consumer({ groupId: 'g', topics: ['orders'], autoOffsetReset: 'earliest' });
(await consumer.poll(60_000)).done();
`;
const endOfRoles = `\nawait consumer.close();\nawait producer.close();${end}`;
const lanes = `${requests}const { Fetch, Produce } = library;\n`;

const pages: Readonly<Record<string, readonly Fragment[]>> = {
  'admin.md': [{ prints: /^orders 0 0\n$/ }],
  'requests.md': [
    {
      head: lanes,
      tail: `console.log(fetched.responses.length, produced.responses.at(0).partitionResponses.at(0).errorCode);${end}`,
      prints: /^1 0\n$/,
    },
    { head: requests, tail: end, prints: /^0 first\n1 second\n$/ },
    {
      head: `${requests}const { committedRanges, Fetch } = library;
const answer = await client.send(leader, Fetch, { ...fetchRequest, isolationLevel: 1 });
const partition = answer.responses.at(0).partitions.at(0);\n`,
      tail: `console.log(bytes);${end}`,
      prints: /^11\n$/,
    },
    { head: `${requests}const { Fetch } = library;\n`, tail: end, prints: /^11 2\n$/ },
  ],
  'threads.md': [
    {
      head: `import { BroadcastChannel, Worker } from 'node:worker_threads';
import { KafkaClient } from 'offthread-kafka';
const bootstrapServers = process.env.KAFKA_BOOTSTRAP_SERVERS;
const told = new BroadcastChannel('told');
const isDone = new Promise((resolve) => { told.onmessage = resolve; });\n`,
      tail: `await isDone;
told.close();
await client.close();\n`,
      prints: /^attached to 1 broker\n$/,
    },
    {
      file: 'worker.js',
      head: `import { BroadcastChannel, workerData } from 'node:worker_threads';
import { KafkaClient } from 'offthread-kafka';\n`,
      tail: `await client.refreshMetadata();
console.log(\`attached to \${client.cluster.brokers().length} broker\`);
await client.close();
const told = new BroadcastChannel('told');
told.postMessage('done');
told.close();\n`,
      prints: /^$/,
    },
    { head: lanes, tail: `console.log((await fetched).responses.length);${end}`, prints: /^1\n$/ },
  ],
  'testing.md': [{ prints: /pass 1\b/ }, { prints: /^$/ }],
  'metrics.md': [
    {
      head: "import { KafkaClient } from 'offthread-kafka';\n",
      tail: `console.log(typeof client.metrics().metrics['request-rate']);${end}`,
      prints: /^number\n$/,
    },
    {
      head: roles,
      tail: `console.log(producer.metrics()['producer-metrics']['record-send-total']);${endOfRoles}`,
      prints: /^1\n$/,
    },
    {
      head: roles,
      tail: `console.log(consumer.metrics()['consumer-metrics']['records-consumed-total'] >= 1);${endOfRoles}`,
      prints: /^true\n$/,
    },
    {
      head: roles,
      tail: `console.log((await prom.register.metrics()).split('\\n').length > 50);
stop();
stopProducer();
stopConsumer();${endOfRoles}`,
      prints: /^true\n$/,
    },
    { head: start, tail: `stop();${end}`, prints: /^$/ },
  ],
  'diagnostics.md': [
    { head: start, tail: end, prints: /^connection .*address[\s\S]*\n\[\]\n$/m },
    { head: start, tail: `await client.awaitReady(0);${end}`, prints: /event: 'connected'/ },
    { head: start, tail: `stop();${end}`, prints: /^$/ },
  ],
  'logging.md': [
    {
      head: "import pino from 'pino';\nimport { KafkaClient } from 'offthread-kafka';\n",
      tail: `await client.setTopics(['missing']).catch(() => {});
for (let i = 0; i < 3; i++) await client.refreshMetadata().catch(() => {});${end}`,
      prints: /"level":40.*"event":"topic-error"/,
      isWithoutNewTopics: true,
    },
  ],
  'other-clients.md': [{ prints: /^k hello\n$/ }],
};

function fragmentsOf(page: string): string[] {
  const text = readFileSync(join(projectFolder, 'docs', page), 'utf8');
  return [...text.matchAll(/^```(?:js|ts|javascript|typescript)\n(.*?)^```$/gms)].map(([, source]) => source!);
}

/** As it is given, but for the types, the names of the package, and the address. */
function runnable(source: string, server: string): string {
  return source
    .replace(', type RequestEvent', '')
    .replace(' as RequestEvent', '')
    .replaceAll("'offthread-kafka/testing'", JSON.stringify(testing))
    .replaceAll("'offthread-kafka'", JSON.stringify(library))
    .replaceAll('localhost:9092', server)
    .replace(
      'KafkaClient.start({ metrics: true })',
      `KafkaClient.start({ metrics: true, bootstrapServers: '${server}' })`,
    )
    .replace('{ logger: pino()', `{ bootstrapServers: '${server}', logger: pino()`);
}

test('each page with programs has its row', () => {
  const withPrograms = readdirSync(join(projectFolder, 'docs')).filter(
    (name) => name.endsWith('.md') && fragmentsOf(name).length > 0,
  );
  assert.deepEqual(withPrograms.sort(), [...Object.keys(pages), ...Object.keys(elsewhere)].sort());
});

describe('the programs of the pages', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'doc-pages-'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    // For prom-client, pino and OpenTelemetry.
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [page, fragments] of Object.entries(pages)) {
    const sources = fragmentsOf(page);
    test(`${page} has as many fragments as rows`, () => assert.equal(sources.length, fragments.length));

    for (const [i, { file, prints, isWithoutNewTopics = false }] of fragments.entries()) {
      if (file !== undefined) continue;
      test(`${page}, number ${i + 1}, does what the page says`, async () => {
        const broker = await startEmbeddedBroker({
          topics: { payments: 1 },
          autoCreateTopics: !isWithoutNewTopics,
        });
        try {
          await broker.append('payments', 0, [{ value: 'first' }, { value: 'second' }]);
          const server = broker.bootstrapServers[0]!;
          const write = (at: number, name: string): string => {
            const { head = '', tail = '' } = fragments[at]!;
            const path = join(folder, name);
            writeFileSync(path, runnable(`${head}${sources[at]}${tail}`, server));
            return path;
          };
          const next = fragments[i + 1]?.file;
          if (next !== undefined) write(i + 1, next);
          const program = write(i, `${page}-${i}.js`);
          const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: server };
          const { stdout, stderr } = await run(process.execPath, [...patientNode, program], {
            cwd: folder,
            env,
            timeout: limitMs,
          });
          assert.match(stdout, prints, stderr);
        } finally {
          await broker.close();
        }
      });
    }
  }
});
