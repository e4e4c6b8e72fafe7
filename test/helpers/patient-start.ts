// Loaded into a program by `--import`: gives the clients that it starts more time than the default. Runs in the program's main thread.

import { isMainThread } from 'node:worker_threads';
import { patient } from './patience.ts';

if (isMainThread) {
  const { KafkaClient } = await import('../../src/index.ts');
  const { start } = KafkaClient;
  KafkaClient.start = (options) => start.call(KafkaClient, { ...patient, ...options });
}
