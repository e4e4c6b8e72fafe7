// Measures the cost of metrics: the recording of one request in the network thread alone, and whole small requests of a client with
// metrics against a client without.

import { KafkaClient, type KafkaClientOptions, Metadata } from '../../src/index.ts';
import { createClientMetrics } from '../../src/state/api-metrics.ts';
import { Log } from '../../src/worker/report/log.ts';
import { Metrics } from '../../src/worker/report/metrics-recorder.ts';
import { RequestReport } from '../../src/worker/report/request-report.ts';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import type { BenchRow } from '../support/rows.ts';
import { bestInTurns } from './support/in-turns.ts';

const recordings = 200_000;
const requestsPerRound = 500;
const rounds = Number(process.env.BENCH_ROUNDS ?? 60);

export async function run(): Promise<BenchRow[]> {
  return [recording(), unheard(), await requests()];
}

/** Everything that the network thread records for one request of an application. */
function recording(): BenchRow {
  const nanoseconds = (metrics: Metrics): (() => void) => {
    const node = metrics.nodeAdded(3, true);
    return () => {
      for (let i = 0; i < recordings; i++) {
        metrics.requestAccepted();
        metrics.requestSent(node, 60 + (i & 31), 3);
        metrics.responseReceived(node, 200 + (i & 63), i & 7, 3);
        metrics.requestSucceeded();
      }
    };
  };
  const best = bestInTurns(
    { on: nanoseconds(new Metrics(createClientMetrics(16), 0)), off: nanoseconds(new Metrics(null, 0)) },
    rounds,
  );
  const [on, off] = [best.on / recordings, best.off / recordings];
  return {
    name: 'recording of one request',
    unit: 'ns',
    ours: round(on),
    comparison: 'the same calls with metrics off',
    theirs: round(off),
    ratio: round(on / off),
    parameters: { recordings, rounds },
  };
}

/** What a request costs the network thread besides its metrics: the question whether anybody wants a record of it. */
function unheard(): BenchRow {
  const request = { codec: { name: 'Fetch', apiKey: 1 }, version: 17, nodeId: 1, sentAt: 0, requestBytes: 0 };
  const node = { metricsRow: -1 };
  const reports = (report: Pick<RequestReport, 'sent' | 'answered'>) => (): void => {
    for (let i = 0; i < recordings; i++) {
      report.sent(node, request, 60 + (i & 31));
      report.answered(node, request, 200 + (i & 63), i);
    }
  };
  const metrics = new Metrics(null, 0);
  const heard = new Log('debug', () => {});
  const best = bestInTurns(
    {
      silent: reports(new RequestReport(metrics, new Log('warn', () => {}))),
      heard: reports(new RequestReport(metrics, heard)),
    },
    rounds,
  );
  const [ours, theirs] = [best.silent / recordings, best.heard / recordings];
  return {
    name: 'report of one request that nobody wants',
    unit: 'ns',
    ours: round(ours),
    comparison: 'at level debug, mostly without room for the record',
    theirs: round(theirs),
    ratio: round(ours / theirs),
    parameters: { recordings, rounds },
  };
}

async function requests(): Promise<BenchRow> {
  const broker = await startEmbeddedBroker();
  const { id } = broker.nodes[0]!;
  const clients: KafkaClient[] = [];
  const open = async (options: KafkaClientOptions): Promise<() => void> => {
    const client = await KafkaClient.start({ bootstrapServers: broker.bootstrapServers, ...options });
    clients.push(client);
    await client.awaitReady(id);
    return () => {
      for (let i = 0; i < requestsPerRound; i++) {
        const sent = client.send(id, Metadata, { topics: [] });
        while (!sent.isDone) client.pollSync(1000, sent);
        if (sent.exception !== null) throw sent.exception;
      }
    };
  };
  const best = bestInTurns({ on: await open({ metrics: true }), off: await open({}) }, Math.min(rounds, 20));
  await Promise.all(clients.map((client) => client.close()));
  await broker.close();
  const [on, off] = [best.on / requestsPerRound / 1000, best.off / requestsPerRound / 1000];
  return {
    name: 'small request and its response, one at a time',
    unit: 'us',
    ours: round(on),
    comparison: 'a client with metrics off',
    theirs: round(off),
    ratio: round(on / off),
    parameters: { requestsPerRound, rounds: Math.min(rounds, 20) },
  };
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
