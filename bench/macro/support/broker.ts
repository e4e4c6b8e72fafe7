// Owns the choice of the broker for macro benchmarks: KAFKA_BOOTSTRAP_SERVERS if it is set; otherwise the broker that other benchmarks of this
// process have started already; otherwise a real broker if there are Java and Maven; otherwise the embedded broker. Main thread.

import { startEmbeddedBroker } from '../../../test/helpers/embedded-broker.ts';
import { externalBootstrapServers, kafkaAvailability, startKafka } from '../../../test/kafka/fixture/index.ts';

export interface BenchBroker {
  readonly host: string;
  readonly port: number;
  readonly description: string;
}

let shared: BenchBroker | null = null;

/** A broker that is warm, and that runs until the process ends. */
export function shareBroker(bootstrapServer: string, description: string): void {
  shared = address(bootstrapServer, description);
}

export async function withBroker<T>(work: (broker: BenchBroker) => Promise<T>): Promise<T> {
  const external = externalBootstrapServers();
  if (external !== null) return work(address(external[0]!, 'KAFKA_BOOTSTRAP_SERVERS'));
  if (shared !== null) return work(shared);
  if (kafkaAvailability().available) {
    const kafka = await startKafka({ ownBroker: true, purpose: 'full speed', heapMegabytes: 1024 });
    try {
      return await work(address(kafka.bootstrapServers[0]!, `Apache Kafka ${kafka.version}`));
    } finally {
      await kafka.stop();
    }
  }
  const embedded = await startEmbeddedBroker();
  try {
    return await work(address(embedded.bootstrapServers[0]!, 'embedded broker'));
  } finally {
    await embedded.close();
  }
}

function address(server: string, description: string): BenchBroker {
  const colon = server.lastIndexOf(':');
  return { host: server.slice(0, colon), port: Number(server.slice(colon + 1)), description };
}
