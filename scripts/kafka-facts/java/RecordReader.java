import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.concurrent.Callable;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;

/**
 * Reads a record set as a consumer does that verifies checksums, and describes what it met.
 *
 * <p>Usage: {@code RecordReader VECTORS.jsonl} reads every set again with the release on the class path. It reports each set
 * whose answer differs from the recorded one.
 */
public final class RecordReader {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    /** Longer values are described by length and hash. */
    static final int LONG_VALUE = 1024;

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        int total = 0;
        int differing = 0;
        try (BufferedReader reader = Files.newBufferedReader(Path.of(args[0]))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                ObjectNode vector = (ObjectNode) mapper.readTree(line);
                byte[] bytes = vector.has("hex") ? HexFormat.of().parseHex(vector.get("hex").textValue())
                    : Base64.getDecoder().decode(vector.get("base64").textValue());
                ObjectNode again = (ObjectNode) mapper.readTree(mapper.writeValueAsString(read(bytes)));
                total++;
                if (!again.equals(vector.get("expect"))) {
                    differing++;
                    System.out.println("differs: " + vector.get("name") + " now " + again.get("error") + " was "
                        + vector.get("expect").get("error"));
                }
            }
        }
        System.out.println(total + " read again, " + differing + " differ");
    }

    static ObjectNode read(byte[] bytes) {
        ObjectNode expect = JSON.objectNode();
        ArrayNode batches = expect.putArray("batches");
        ArrayNode records = expect.putArray("records");
        MemoryRecords set = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        String stage = "nextBatch";
        int used = 0;
        try {
            Iterator<MutableRecordBatch> iterator = set.batches().iterator();
            while (iterator.hasNext()) {
                RecordBatch batch = iterator.next();
                int index = batches.size();
                describe(batches.addObject(), batch);
                stage = "batchValid";
                batch.ensureValid();
                stage = "openRecords";
                try (CloseableIterator<Record> inner = batch.streamingIterator(BufferSupplier.create())) {
                    stage = "nextRecord";
                    while (inner.hasNext()) {
                        Record record = inner.next();
                        stage = "recordValid";
                        record.ensureValid();
                        stage = "recordFields";
                        ObjectNode node = JSON.objectNode();
                        describe(node, index, batch, record);
                        records.add(node);
                        stage = "nextRecord";
                    }
                }
                used += batch.sizeInBytes();
                stage = "nextBatch";
            }
        } catch (Throwable e) {
            ObjectNode error = expect.putObject("error");
            error.put("stage", stage);
            error.put("class", e.getClass().getSimpleName());
            if (e.getCause() != null) {
                error.put("cause", e.getCause().getClass().getSimpleName());
            }
            return expect;
        }
        expect.put("trailingBytes", bytes.length - used);
        return expect;
    }

    static void describe(ObjectNode node, RecordBatch batch) {
        put(node, "baseOffset", () -> String.valueOf(batch.baseOffset()));
        put(node, "lastOffset", () -> String.valueOf(batch.lastOffset()));
        node.put("magic", batch.magic());
        node.put("sizeInBytes", batch.sizeInBytes());
        put(node, "codec", () -> batch.compressionType().name);
        put(node, "timestampType", () -> batch.timestampType().toString());
        put(node, "maxTimestamp", () -> String.valueOf(batch.maxTimestamp()));
        put(node, "producerId", () -> String.valueOf(batch.producerId()));
        put(node, "producerEpoch", () -> (int) batch.producerEpoch());
        put(node, "baseSequence", batch::baseSequence);
        put(node, "lastSequence", batch::lastSequence);
        put(node, "isTransactional", batch::isTransactional);
        put(node, "isControl", batch::isControlBatch);
        put(node, "partitionLeaderEpoch", batch::partitionLeaderEpoch);
        put(node, "deleteHorizonMs", () -> batch.deleteHorizonMs().isPresent()
            ? String.valueOf(batch.deleteHorizonMs().getAsLong()) : null);
        put(node, "recordCount", batch::countOrNull);
        put(node, "crcValid", batch::isValid);
    }

    /** A header field of a broken batch that cannot be told is null. */
    static void put(ObjectNode node, String key, Callable<Object> source) {
        Object value;
        try {
            value = source.call();
        } catch (Exception e) {
            value = null;
        }
        node.set(key, value == null ? JSON.nullNode() : value instanceof Integer number ? JSON.numberNode(number)
            : value instanceof Boolean flag ? JSON.booleanNode(flag) : JSON.textNode((String) value));
    }

    static void describe(ObjectNode node, int index, RecordBatch batch, Record record) {
        node.put("batch", index);
        node.put("offset", String.valueOf(record.offset()));
        node.put("timestamp", String.valueOf(record.timestamp()));
        node.put("sequence", record.sequence());
        bytes(node, "key", record.hasKey() ? record.key() : null);
        bytes(node, "value", record.hasValue() ? record.value() : null);
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            ArrayNode pair = headers.addArray().add(header.key());
            if (header.value() == null) {
                pair.addNull();
            } else {
                pair.add(Base64.getEncoder().encodeToString(header.value()));
            }
        }
        if (!batch.isControlBatch()) {
            return;
        }
        ObjectNode control = node.putObject("control");
        try {
            ControlRecordType type = ControlRecordType.parse(record.key());
            control.put("type", type.name());
            if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
                control.put("coordinatorEpoch", EndTransactionMarker.deserialize(record).coordinatorEpoch());
            }
        } catch (Exception e) {
            control.put("unreadable", true); // the exception's class differs between releases
        }
    }

    static void bytes(ObjectNode node, String key, ByteBuffer buffer) {
        if (buffer == null) {
            node.putNull(key + "Base64");
            return;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        if (bytes.length <= LONG_VALUE) {
            node.put(key + "Base64", Base64.getEncoder().encodeToString(bytes));
            return;
        }
        try {
            node.put(key + "Length", bytes.length);
            node.put(key + "Sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private RecordReader() {
        throw new IllegalStateException();
    }
}
