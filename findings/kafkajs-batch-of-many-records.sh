#!/usr/bin/env bash
# kafkajs 2.2.4 cannot read a record batch of 150,000 small records.
#
# Its fetch decoder passes all records of a batch as the arguments of one call (`push` with a spread list). V8 has room for some 125,000
# arguments on a stack of default size, so a batch of more records ends in a RangeError. The broker does not mind such a batch: with gzip
# it takes 210 KB, a fifth of the size that is accepted by default. Java's producer writes one when batch.size and linger.ms are raised.
#
# Seen on Apache Kafka 4.3.0 and Node 22:
#   Java's producer, 150,000 records of one byte, gzip, one partition   one batch
#   Java's console consumer                                             150,000 records
#   consumer.run of kafkajs                                             RangeError, "Maximum call stack size exceeded"; no record is handed out
#
# So the position of a group of kafkajs members stays in front of the batch for ever.
# Needs Java 17, Maven and Node 20 or later. Exits with 1 when one of them behaves otherwise.
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
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>4.3.0</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs
npm init -y >/dev/null
npm install --silent --no-audit --no-fund kafkajs@2.2.4 node@22.23.3

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
import kafkajs from 'kafkajs';

const count = 150_000;
const topic = 'many';
const server = `127.0.0.1:${process.argv[2]}`;
setTimeout(() => {
  console.error('not over within five minutes');
  process.exit(1);
}, 300_000).unref();

const kafka = new kafkajs.Kafka({ brokers: [server], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 20 } });
let read = 0;
const consumer = kafka.consumer({ groupId: 'one', retry: { retries: 0 } });
const crash = new Promise((resolve) => consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)));
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
const all = new Promise((resolve) => {
  const eachBatch = async ({ batch }) => {
    read += batch.messages.length;
    if (read >= count) resolve(null);
  };
  consumer.run({ eachBatch });
});
const error = await Promise.race([crash, all]);
const cause = error?.cause ?? error;
console.log(`kafkajs: ${read} messages read, ${cause === null ? 'no error' : `${cause.name}: ${cause.message}`}`);
process.exit(read === 0 && cause instanceof RangeError ? 0 : 1);
JS
tool() { java -Xmx512m -cp 'libs/*' "$@" 2>/dev/null; }
server=127.0.0.1:$port
until tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$server" --create --topic many --partitions 1; do
  kill -0 "$broker"
done
tool org.apache.kafka.tools.ProducerPerformance --bootstrap-server "$server" --topic many --num-records 150000 --record-size 1 --throughput -1 \
  --command-property batch.size=8000000 linger.ms=60000 compression.type=gzip >/dev/null
batches=$(tool org.apache.kafka.tools.DumpLogSegments --files "$folder/data/many-0/00000000000000000000.log" | grep -c '^baseOffset')
read=$(tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$server" --topic many --from-beginning \
  --max-messages 150000 --timeout-ms 60000 | wc -l)
echo "Java: $batches batch written, $read records read"
[ "$batches" -eq 1 ] && [ "$read" -eq 150000 ] || exit 1
node_modules/.bin/node show.mjs "$port"
