// Owns the choice and the life of the broker that the job runs against. Main thread; the embedded broker has a thread of
// its own, a real one a process.

import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { externalBootstrapServers, kafkaAvailability, startKafka } from '../../test/kafka/fixture/index.ts';
import { JobError } from './job-error.ts';

const embeddedNodes = 3;

export interface JobBroker {
  /** For people: what it is. */
  readonly description: string;
  readonly bootstrapServers: readonly string[];
  stop(): Promise<void>;
}

/** Throws: JobError when a broker that was asked for cannot be had. */
export async function startBroker(isRealKafka: boolean): Promise<JobBroker> {
  if (isRealKafka) return startRealKafka();
  const servers = externalBootstrapServers();
  if (servers !== null) {
    return {
      description: `KAFKA_BOOTSTRAP_SERVERS ${servers.join(',')}`,
      bootstrapServers: servers,
      stop: () => Promise.resolve(),
    };
  }
  return startEmbedded();
}

async function startEmbedded(): Promise<JobBroker> {
  const broker = await startEmbeddedBroker({ nodes: embeddedNodes });
  return {
    description: `embedded, ${embeddedNodes} nodes in a thread of this process`,
    bootstrapServers: broker.bootstrapServers,
    stop: () => broker.close(),
  };
}

async function startRealKafka(): Promise<JobBroker> {
  const availability = kafkaAvailability(undefined, true);
  if (!availability.available) throw new JobError(`--kafka: ${availability.reason}`);
  const kafka = await startKafka({ ownBroker: true });
  return {
    description: `Apache Kafka ${kafka.version}, started for this run`,
    bootstrapServers: kafka.bootstrapServers,
    stop: () => kafka.stop(),
  };
}
