// A program whose client cannot start, and which then has nothing left to do.

import { KafkaClient, KafkaClientError, type KafkaClientOptions } from '../../../../src/index.ts';

try {
  await KafkaClient.start(JSON.parse(process.argv[2]!) as KafkaClientOptions);
} catch (error) {
  if (!(error instanceof KafkaClientError)) throw error;
  process.stdout.write(`${error.name} ${error.code} ${error.message}\n`);
}
