// Owns how Kafka's own Java clients are measured: the same work as peer-process.ts, in this language. Its own process; the answer is a line of JSON.

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class JavaPeer {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final Map<String, String> JOB = new HashMap<>();
  private static long startedAt;
  private static long startedProcess;
  private static long startedThread;
  private static volatile Exception failure;

  public static void main(String[] args) throws Exception {
    for (String arg : args) JOB.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    if (JOB.get("work").equals("write")) write();
    else read();
    System.exit(0);
  }

  private static void write() throws Exception {
    Properties properties = properties();
    properties.put("acks", JOB.get("acks"));
    properties.put("compression.type", JOB.get("compression"));
    byte[][] values = values(number("valueBytes"));
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      give(producer, values, number("warmUpMs"));
      begin();
      long records = give(producer, values, number("measureMs"));
      answer(records, "", "acks " + JOB.get("acks") + ", else all defaults; send with a callback");
    }
  }

  /** Returns how many records were acknowledged. */
  private static long give(KafkaProducer<byte[], byte[]> producer, byte[][] values, int ms) throws Exception {
    long end = System.nanoTime() + ms * 1_000_000L;
    long records = 0;
    while (System.nanoTime() < end) {
      for (int i = 0; i < 256; i++) {
        producer.send(
            new ProducerRecord<>(JOB.get("topic"), values[i]),
            (metadata, error) -> {
              if (error != null) failure = error;
            });
      }
      records += 256;
    }
    producer.flush();
    if (failure != null) throw failure;
    return records;
  }

  private static void read() {
    Properties properties = properties();
    properties.put("group.id", JOB.get("groupId"));
    properties.put("auto.offset.reset", "earliest");
    long all = Long.parseLong(JOB.get("allRecords"));
    long created = System.nanoTime();
    long firstAt = 0;
    long seen = 0;
    long counted = 0;
    long sum = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(JOB.get("topic")));
      while (true) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
        for (ConsumerRecord<byte[], byte[]> record : records) {
          byte[] value = record.value();
          sum += record.offset() + record.timestamp() + value[0] + value[value.length - 1];
          if (record.key() != null && record.key().length > 0) sum += record.key()[0];
        }
        if (records.isEmpty()) continue;
        if (firstAt == 0) firstAt = System.nanoTime();
        seen += records.count();
        if (startedAt == 0) {
          // A quarter is too little for its compilers: half of the topic.
          if (millisSince(firstAt) >= number("warmUpMs") || seen >= all / 2) begin();
          continue;
        }
        counted += records.count();
        if (millisSince(startedAt) >= number("measureMs") || seen >= all * 0.98) break;
      }
      String more = String.format(Locale.ROOT, ",\"duplicates\":0,\"firstRecordMs\":%d", (firstAt - created) / 1_000_000);
      answer(counted, more, "all defaults, auto.offset.reset earliest; poll" + (sum == 1 ? "." : ""));
    }
  }

  private static void begin() {
    startedProcess = SYSTEM.getProcessCpuTime();
    startedThread = THREADS.getCurrentThreadCpuTime();
    startedAt = System.nanoTime();
  }

  private static void answer(long records, String more, String settings) {
    double wall = System.nanoTime() - startedAt;
    double main = THREADS.getCurrentThreadCpuTime() - startedThread;
    double all = SYSTEM.getProcessCpuTime() - startedProcess;
    System.out.printf(
        Locale.ROOT,
        "{\"version\":\"%s\",\"settings\":\"%s\",\"processCpuMs\":%f,\"threads\":{\"main\":%f,\"others\":%f},"
            + "\"figures\":{\"perSecond\":%f,\"mainMicroseconds\":%f,\"cpuMicroseconds\":%f,\"applicationShare\":%f%s}}%n",
        JOB.get("version"),
        settings,
        SYSTEM.getProcessCpuTime() / 1e6,
        main / wall,
        (all - main) / wall,
        records / wall * 1e9,
        main / 1e3 / records,
        all / 1e3 / records,
        Math.max(0, 1 - main / wall),
        more);
    System.out.flush();
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private static int number(String key) {
    return (int) Double.parseDouble(JOB.get(key));
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", JOB.get("bootstrapServer"));
    return properties;
  }

  /** The values of peer.ts. */
  private static byte[][] values(int bytes) {
    byte[][] values = new byte[256][bytes];
    for (int i = 0; i < 256; i++) {
      for (int at = 0; at < bytes; at++) {
        values[i][at] = (byte) (32 + Integer.remainderUnsigned(at * 31 + i * 17 + ((at * i) >> 3), 90));
      }
    }
    return values;
  }
}
