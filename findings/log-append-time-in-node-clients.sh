#!/usr/bin/env bash
# Two Node clients tell the producer's time where the topic keeps the broker's time.
#
# A topic with message.timestamp.type=LogAppendTime stores batches in which bit 3 of the attributes is set. The broker writes its
# own time into one field of the batch only: the maximum timestamp. Base timestamp and the deltas of the records stay as the
# producer sent them. A reader has to look at the bit and take the maximum timestamp for every record, as Java's clients do.
#
# Seen on Apache Kafka 4.3.0, with a record that was produced with timestamp 1000 (one second after 1970):
#   kafkajs 2.2.4               the broker's time (now)
#   @platformatic/kafka 2.12.1  1000
#   kafka-ts 1.5.0              1000
#
# So an application that reads times to tell how late it is, or to make windows, gets the clock of every producer instead.
# Needs Java 17, Maven and Node 22 or later. Exits with 1 when one of the three behaves otherwise.
set -euo pipefail
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill -9 "$broker" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>findings</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.0</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs
npm init -y >/dev/null
npm install --silent --no-audit --no-fund kafkajs@2.2.4 @platformatic/kafka@2.12.1 kafka-ts@1.5.0

port=$((20000 + RANDOM % 10000))
cat >broker.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$folder/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
PROPERTIES
java -cp 'libs/*' kafka.tools.StorageTool format -t abcdefghijklmnopqrstug -c broker.properties >/dev/null
java -Xmx512m -cp 'libs/*' kafka.Kafka broker.properties >broker.log 2>&1 &
broker=$!

cat >show.mjs <<'JS'
import { Consumer as PlatformaticConsumer, stringDeserializers } from '@platformatic/kafka';
import * as kafkaTs from 'kafka-ts';
import kafkajs from 'kafkajs';

const port = Number(process.argv[2]);
const server = `127.0.0.1:${port}`;
const topic = 'appended';
const limit = setTimeout(() => {
  console.error('not over within two minutes');
  process.exit(1);
}, 120_000);

const kafka = new kafkajs.Kafka({ brokers: [server], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 20 } });
const admin = kafka.admin();
await admin.connect();
const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] });
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();
await producer.send({ topic, messages: [{ value: 'x', timestamp: '1000' }] });
const producedAt = Date.now();

const byKafkajs = await new Promise((resolve, reject) => {
  const consumer = kafka.consumer({ groupId: 'one' });
  const run = async () => {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => resolve(Number(message.timestamp)) });
  };
  run().catch(reject);
});

const platformatic = new PlatformaticConsumer({
  groupId: 'two',
  clientId: 'two',
  bootstrapBrokers: [server],
  deserializers: stringDeserializers,
});
const stream = await platformatic.consume({ topics: [topic], mode: 'earliest', autocommit: false });
const byPlatformatic = await new Promise((resolve, reject) => {
  stream.once('data', (message) => resolve(Number(message.timestamp)));
  stream.once('error', reject);
});

const client = kafkaTs.createKafkaClient({ clientId: 'three', bootstrapServers: [{ host: '127.0.0.1', port }] });
const byKafkaTs = await new Promise((resolve, reject) => {
  client
    .startConsumer({
      topics: [topic],
      groupId: 'three',
      fromBeginning: true,
      onBatch: (messages) => resolve(Number(messages[0].timestamp)),
    })
    .catch(reject);
});

clearTimeout(limit);
const isBrokers = (timestamp) => Math.abs(producedAt - timestamp) < 600_000;
const name = (timestamp) => (isBrokers(timestamp) ? 'the broker\'s time' : String(timestamp));
console.log(`kafkajs: ${name(byKafkajs)}`);
console.log(`@platformatic/kafka: ${name(byPlatformatic)}`);
console.log(`kafka-ts: ${name(byKafkaTs)}`);
process.exit(isBrokers(byKafkajs) && byPlatformatic === 1000 && byKafkaTs === 1000 ? 0 : 1);
JS
node show.mjs "$port"
