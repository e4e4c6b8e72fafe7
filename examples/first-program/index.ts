// The first program: makes a topic, writes four lines to it, and reads them back as a member of a group.
//   npm run example -- first-program

import { KafkaClient, TopicAlreadyExistsError } from '../../src/index.ts';

const topic = 'greetings';
const client = await KafkaClient.start({ bootstrapServers: process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092' });

const newTopic = { name: topic, partitions: 1, replicationFactor: 1 };
const created = (await client.admin().createTopics([newTopic], { waitForLeaders: true })).get(topic);
// If the topic exists already, it is used.
if (created?.ok === false && !(created.error instanceof TopicAlreadyExistsError)) throw created.error;

const producer = await client.producer();
for (const value of ['hello', 'from', 'another', 'thread']) {
  const { partition, offset } = await producer.send(topic, { key: 'greeting', value });
  console.log(`wrote ${value} to partition ${partition} at offset ${offset}`);
}
await producer.close();

const consumer = await client.consumer({ groupId: 'readers', topics: [topic], autoOffsetReset: 'earliest' });
let read = 0;
for await (const batch of consumer) {
  for (const { offset, key, value } of batch) console.log(`read ${offset} ${key}: ${value}`);
  read += batch.count;
  // `break` does not mark the last batch as done, so it is marked here.
  batch.done();
  if (read >= 4) break;
}
await client.close();
