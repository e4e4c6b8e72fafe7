// Owns the order of the main job: broker, client, topic, produce, fetch, compare. Main thread.

import { randomBytes } from 'node:crypto';
import type { Progress } from '../../src/cli/io/progress.ts';
import { KafkaClient } from '../../src/index.ts';
import { type JobBroker, startBroker } from './broker.ts';
import { type ConsumeResult, Consumer } from './consume.ts';
import { type Corpus, findCorpus } from './corpus.ts';
import { createLedgers, differences, type PartitionLedger } from './ledger.ts';
import type { JobOptions } from './options.ts';
import { openProducer, type ProduceResult, produceCorpus } from './produce.ts';
import { type Faults, Requester } from './requester.ts';
import { Topic } from './topic.ts';

/** A broker on another continent may need longer than the default. */
const startTimeoutMs = 5000;

export interface JobResult {
  readonly broker: string;
  readonly brokerVersion: readonly number[] | null;
  readonly corpus: Corpus;
  readonly partitions: number;
  readonly produced: ProduceResult;
  readonly fetched: ConsumeResult;
  readonly faults: Faults;
  /** The records that did not come back as they were sent. Empty when all did. */
  readonly problems: readonly string[];
}

/**
 * Runs the job.
 * @param defaultFolder  the folder in which text is looked for when there is no input
 */
export async function runJob(options: JobOptions, defaultFolder: string, progress: Progress): Promise<JobResult> {
  const corpus = await findCorpus(options.input, options.repeat, defaultFolder);
  const times = corpus.repeat === 1 ? '' : `, read ${corpus.repeat} times`;
  progress.say(`text:   ${corpus.files.length} files, ${(corpus.fileBytes / 1e6).toFixed(1)} MB${times}`);
  const broker = await startBroker(options.isRealKafka);
  try {
    progress.say(`broker: ${broker.description}`);
    return await withClient(options, corpus, broker, progress);
  } finally {
    await broker.stop();
  }
}

async function withClient(
  options: JobOptions,
  corpus: Corpus,
  broker: JobBroker,
  progress: Progress,
): Promise<JobResult> {
  const client = await KafkaClient.start({
    bootstrapServers: broker.bootstrapServers,
    clientId: 'main-job',
    apiVersionAutoTimeoutMs: startTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs,
  });
  try {
    const requester = new Requester(client);
    const topic = new Topic(requester, `main-job-${randomBytes(6).toString('hex')}`, options.partitions);
    await topic.create();
    try {
      return await produceAndFetch(options, corpus, broker, requester, topic, progress);
    } finally {
      const error = await topic.remove();
      if (error !== null) progress.say(`topic ${topic.name} could not be removed: ${error.message}`);
    }
  } finally {
    await client.close();
  }
}

async function produceAndFetch(
  options: JobOptions,
  corpus: Corpus,
  broker: JobBroker,
  requester: Requester,
  topic: Topic,
  progress: Progress,
): Promise<JobResult> {
  const ledgers = createLedgers(topic.partitions);
  progress.begin('produce');
  const produced = await produce(requester.client, topic, corpus, ledgers, progress);
  progress.end({ share: 1, bytes: produced.payloadBytes, records: produced.records });
  progress.begin('fetch');
  const consumer = new Consumer(requester, topic, ledgers, {
    sample: produced.sample,
    blockMs: options.blockMs,
    progress,
  });
  const fetched = await consumer.run();
  progress.end({ share: 1, bytes: produced.payloadBytes, records: produced.records });
  const problems = ledgers.flatMap(differences);
  for (const {
    partition,
    produced: { records },
  } of ledgers) {
    const end = await topic.endOffset(partition);
    if (end !== records)
      problems.push(`partition ${partition}: ${records} records produced, but it ends at offset ${end}`);
  }
  return {
    broker: broker.description,
    brokerVersion: requester.client.apiVersion,
    corpus,
    partitions: topic.partitions,
    produced,
    fetched,
    faults: requester.faults,
    problems,
  };
}

async function produce(
  client: KafkaClient,
  topic: Topic,
  corpus: Corpus,
  ledgers: readonly PartitionLedger[],
  progress: Progress,
): Promise<ProduceResult> {
  const producer = await openProducer(client, topic.partitions);
  try {
    return await produceCorpus(producer, topic.name, corpus, ledgers, progress);
  } finally {
    // After a failure, what was not acknowledged yet is of no use any more.
    await producer.close({ timeoutMs: 1000 });
  }
}
