#!/usr/bin/env bash
# Kafka 4.4.0: when a group goes back to the classic protocol, a classic member that has yet to join again loses its partitions.
#
# A group may have members of group.protocol=consumer beside classic ones (KIP-848). When the last of the former leaves, the broker makes a
# classic group of it, and the epoch of the group becomes its generation. The epoch has grown with each rebalance, also with one that a
# classic member has been told of but has not joined yet. Such a member is then of an old generation. In a group that has always been
# classic the generation grows after the members have joined, so each of them has the whole rebalance timeout (max.poll.interval.ms, five
# minutes) to end what it works on and to commit it.
#
# Seen on a broker and with clients of 4.4.0 and their default timeouts. A classic member works on a record and does not poll for some
# seconds. Meanwhile the other members leave, one after the other. Then it commits, and polls until it has read one more record:
#
#   others              answer to its heartbeat  its commit             its callbacks      records
#   2 classic leave     REBALANCE_IN_PROGRESS    stored                 revoked, assigned  next
#   1 consumer leaves   REBALANCE_IN_PROGRESS    stored                 revoked, assigned  next
#   2 consumer leave    ILLEGAL_GENERATION       CommitFailedException  lost, assigned     work, next
#
# So a rollback to the classic protocol that ends the old members fast has records processed twice, though the member that had them kept
# every timeout and is the only one left. It helps to end a member only when all others have joined since the one before it.
# Needs Java 17 and Maven. Exits with 1 when one of them behaves otherwise.
set -euo pipefail
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || { kill -9 "$broker" && wait "$broker"; } 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>findings</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.4.0</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.4.0</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs

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
java -cp 'libs/*' kafka.tools.StorageTool format -t abcdefghijklmnopqrstug -c broker.properties >format.log 2>&1
java -Xmx512m -cp 'libs/*' kafka.Kafka broker.properties >broker.log 2>&1 &
broker=$!

cat >Show.java <<'JAVA'
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Show {
    static final int PARTITIONS = 3;
    /** What the clients log. */
    static final ByteArrayOutputStream LOG = new ByteArrayOutputStream();
    static String server;
    static Admin admin;
    static KafkaProducer<String, String> producer;

    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > end) throw new IllegalStateException("not within two minutes: " + what);
            Thread.sleep(20);
        }
    }

    static KafkaConsumer<String, String> member(String group, String protocol, String clientId) {
        return new KafkaConsumer<>(Map.of(
            "bootstrap.servers", server,
            "group.id", group,
            "group.protocol", protocol,
            "client.id", clientId,
            "enable.auto.commit", "false",
            "auto.offset.reset", "earliest",
            "key.deserializer", StringDeserializer.class.getName(),
            "value.deserializer", StringDeserializer.class.getName()));
    }

    static ConsumerGroupDescription describe(String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).describedGroups().get(group).get();
    }

    /** Whether each member owns something, all of them are of one generation, and the broker is done with the rebalance. */
    static boolean isStable(String group, List<KafkaConsumer<String, String>> members) throws Exception {
        if (members.stream().anyMatch(member -> member.assignment().isEmpty())) return false;
        if (members.stream().mapToInt(member -> member.assignment().size()).sum() != PARTITIONS) return false;
        if (members.stream().map(member -> member.groupMetadata().generationId()).distinct().count() != 1) return false;
        ConsumerGroupDescription description = describe(group);
        return description.groupState() == GroupState.STABLE && description.members().size() == members.size();
    }

    static void pollUntilStable(String group, List<KafkaConsumer<String, String>> members) throws Exception {
        until("a stable group of " + members.size(), () -> {
            for (KafkaConsumer<String, String> member : members) member.poll(Duration.ofMillis(50));
            return isStable(group, members);
        });
    }

    static void sendAndRead(TopicPartition to, String value, KafkaConsumer<String, String> by, List<String> read) throws Exception {
        producer.send(new ProducerRecord<>(to.topic(), to.partition(), null, value)).get();
        until("the record " + value, () -> {
            for (ConsumerRecord<String, String> record : by.poll(Duration.ofMillis(100))) read.add(record.value());
            return read.contains(value);
        });
    }

    static Matcher logged(String group, int from, String pattern) {
        byte[] bytes = LOG.toByteArray();
        String lines = new String(bytes, from, bytes.length - from);
        return Pattern.compile("clientId=stays, groupId=" + group + "] " + pattern).matcher(lines);
    }

    /** The error of the heartbeats of the member that stays, empty if it is not known yet. */
    static String heartbeatError(String group, int sinceWork, int sinceLeft) {
        Matcher refused = logged(group, sinceWork, "Attempt to heartbeat with .* failed due to (\\w+), resetting generation");
        if (refused.find()) return refused.group(1);
        // The first one may be the answer to a request from before the others had left.
        Matcher rebalancing = logged(group, sinceLeft, "Request joining group due to: group is already rebalancing");
        return rebalancing.results().count() >= 2 ? "REBALANCE_IN_PROGRESS" : "";
    }

    /** What a classic member sees when so many others of a protocol leave one after the other while it works on a record. */
    static List<String> leave(int count, String protocol) throws Exception {
        String group = protocol + count;
        admin.createTopics(List.of(new NewTopic(group, PARTITIONS, (short) 1))).all().get();
        List<KafkaConsumer<String, String>> others = new ArrayList<>();
        for (int i = 0; i < count; i++) others.add(member(group, protocol, "leaves" + i));
        for (KafkaConsumer<String, String> other : others) other.subscribe(List.of(group));
        pollUntilStable(group, others);

        KafkaConsumer<String, String> stays = member(group, "classic", "stays");
        List<String> callbacks = new ArrayList<>();
        stays.subscribe(List.of(group), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                callbacks.add("assigned");
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                callbacks.add("revoked");
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                callbacks.add("lost");
            }
        });
        List<KafkaConsumer<String, String>> all = new ArrayList<>(others);
        all.add(stays);
        pollUntilStable(group, all);

        TopicPartition partition = stays.assignment().iterator().next();
        List<String> read = new ArrayList<>();
        sendAndRead(partition, "first", stays, read);
        stays.commitSync();
        int sinceWork = LOG.size();
        sendAndRead(partition, "work", stays, read);
        callbacks.clear();
        read.clear();

        for (KafkaConsumer<String, String> other : others) {
            other.close();
            all.remove(other);
            until("a group of " + all.size(), () -> describe(group).members().size() == all.size());
        }
        int sinceLeft = LOG.size();
        until("the answer to a heartbeat", () -> !heartbeatError(group, sinceWork, sinceLeft).isEmpty());
        String commit = "stored";
        try {
            stays.commitSync();
        } catch (KafkaException error) {
            commit = error.getClass().getSimpleName();
        }
        sendAndRead(partition, "next", stays, read);
        String heartbeat = heartbeatError(group, sinceWork, sinceLeft);
        List<String> seen = List.of(heartbeat, commit, String.join(", ", callbacks), String.join(", ", read));
        // Only now, since it calls the listener too.
        stays.close();
        return seen;
    }

    static boolean show(int count, String protocol, List<String> expected) throws Exception {
        List<String> seen = leave(count, protocol);
        System.out.println(count + " " + protocol + (count == 1 ? " leaves: " : " leave: ") + String.join(" | ", seen));
        if (!seen.equals(expected)) System.out.println("  expected: " + String.join(" | ", expected));
        return seen.equals(expected);
    }

    public static void main(String[] args) {
        System.setErr(new PrintStream(LOG, true));
        server = args[0];
        boolean isAsDescribed = true;
        try {
            admin = Admin.create(Map.of("bootstrap.servers", server));
            String serializer = StringSerializer.class.getName();
            producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", server, "key.serializer", serializer, "value.serializer", serializer));
            List<String> kept = List.of("REBALANCE_IN_PROGRESS", "stored", "revoked, assigned", "next");
            List<String> lost = List.of("ILLEGAL_GENERATION", "CommitFailedException", "lost, assigned", "work, next");
            isAsDescribed &= show(2, "classic", kept);
            isAsDescribed &= show(1, "consumer", kept);
            isAsDescribed &= show(2, "consumer", lost);
        } catch (Throwable error) {
            error.printStackTrace(System.out);
            isAsDescribed = false;
        }
        System.exit(isAsDescribed ? 0 : 1);
    }
}
JAVA
java -Xmx256m -cp 'libs/*' Show.java "127.0.0.1:$port"
