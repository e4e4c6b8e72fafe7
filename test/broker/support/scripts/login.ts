// A program that logs in, asks a node something, and says how that went.

import { KafkaClient, type KafkaClientOptions, ListGroups } from '../../../../src/index.ts';

export interface LoginArguments {
  readonly options: KafkaClientOptions;
  readonly nodeId: number;
}

const { options, nodeId } = JSON.parse(process.argv[2]!) as LoginArguments;
try {
  const client = await KafkaClient.start(options);
  await client.awaitReady(nodeId);
  const { errorCode } = await client.send(nodeId, ListGroups, {});
  await client.close();
  process.stdout.write(`logged in, error code ${errorCode}\n`);
} catch (error) {
  process.stdout.write(`${error}\n`);
}
