// Owns the choice, the start and the end of the broker for the job. Main thread. The embedded broker runs in a thread of its own, a real
// broker in a process.

import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { externalBootstrapServers, kafkaAvailability, startKafka } from '../../test/kafka/fixture/index.ts';
import { JobError } from './job-error.ts';

const embeddedNodes = 3;

export interface JobBroker {
  /** A text for people that says which broker it is. */
  readonly description: string;
  readonly bootstrapServers: readonly string[];
  stop(): Promise<void>;
}

/** Throws JobError when the requested broker is not available. */
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
