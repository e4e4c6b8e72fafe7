// A loop that never returns to the event loop. It reads numbers, computes, and writes results. Its calls block only this thread. The network
// thread stays a member of the group and goes on sending.
//   npm run example -- blocking-loop

import { KafkaClient } from '../../src/index.ts';

const numbers = 2000;
const client = await KafkaClient.start({ bootstrapServers: process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092' });
await client.admin().createTopics(
  [
    { name: 'numbers', partitions: 3 },
    { name: 'primes', partitions: 3 },
  ],
  {
    waitForLeaders: true,
  },
);
const producer = await client.producer();
const consumer = await client.consumer({ groupId: 'factories', topics: ['numbers'], autoOffsetReset: 'earliest' });

// Nothing is awaited from here until the work is done.
for (let number = 0; number < numbers; number++) put('numbers', String(number));
let seen = 0;
let primes = 0;
while (seen < numbers) {
  const batch = consumer.pollSync(1000);
  if (batch === null) continue;
  for (const { value } of batch) {
    const number = Number(value);
    if (isPrime(number)) {
      primes++;
      put('primes', String(number));
    }
  }
  seen += batch.count;
  batch.done();
}
const { failed } = producer.flushSync();
console.log(`${seen} numbers read, ${primes} primes written, ${failed} records failed`);
await client.close();

/** Writes one record. Without room, this thread waits until the network thread has sent some. */
function put(topic: string, value: string): void {
  while (!producer.append(topic, null, value)) producer.waitSync(value.length);
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return number > 1;
}
