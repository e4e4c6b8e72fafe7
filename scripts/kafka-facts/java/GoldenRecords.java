import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.compress.Lz4BlockOutputStream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.ByteUtils;
import org.xerial.snappy.Snappy;

/**
 * Writes golden record sets: bytes, and what a consumer of Java meets in them. Run by scripts/kafka-facts/golden.ts with
 * kafka-clients 3.9.1, the last release that still writes formats 0 and 1. It must write the same for the same seed.
 *
 * <p>Usage: {@code GoldenRecords SEED OUT.jsonl}.
 */
public final class GoldenRecords {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    // These differ between sets, so that hand-made vectors of one do not give away another's.
    static long TIME;
    static String salt;
    static long handOffset;
    static long single;
    static final Header[] NO_HEADERS = new Header[0];

    final Random random;
    final int many;
    final int bulk;
    final long base;
    final List<ObjectNode> lines = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        GoldenRecords vectors = new GoldenRecords(Long.parseLong(args[0]));
        vectors.valid();
        vectors.framing();
        vectors.malformedV2();
        vectors.malformedLegacy();
        ObjectMapper mapper = new ObjectMapper();
        Map<String, Integer> counts = new LinkedHashMap<>();
        try (BufferedWriter writer = Files.newBufferedWriter(Path.of(args[1]), StandardCharsets.UTF_8)) {
            for (ObjectNode line : vectors.lines) {
                writer.write(mapper.writeValueAsString(line));
                writer.write('\n');
                counts.merge(line.get("group").textValue(), 1, Integer::sum);
            }
        }
        System.out.println("records seed " + args[0] + " " + counts);
    }

    GoldenRecords(long seed) {
        random = new Random(seed);
        boolean first = seed % 2 == 0;
        many = first ? 50 : 37;
        bulk = first ? 200_000 : 263_171;
        base = first ? 1000 : 5_000_000_123L;
        TIME = first ? 1_700_000_000_000L : 1_735_689_612_345L;
        salt = first ? "v" : "salt-" + seed % 1000;
        single = first ? 40 : 90_040;
        handOffset = first ? 100 : 68_719_476_736L;
    }

    void add(String group, String name, int magic, String codec, byte[] bytes) {
        ObjectNode line = JsonNodeFactory.instance.objectNode();
        line.put("name", name);
        ObjectNode expect = RecordReader.read(bytes);
        line.put("group", group.equals("malformed") && !expect.has("error") ? "tolerated" : group);
        line.put("magic", magic);
        line.put("codec", codec);
        line.set("expect", expect);
        if (bytes.length <= 2048) {
            line.put("hex", HexFormat.of().formatHex(bytes));
        } else {
            line.put("base64", Base64.getEncoder().encodeToString(bytes));
        }
        if (group.equals("valid") && expect.has("error")) {
            throw new IllegalStateException(name + ": " + expect.get("error"));
        }
        lines.add(line);
    }

    // ------------------------------------------------------------ by the Java writer

    /** One batch (or wrapper message) under construction. */
    static final class Plan {
        int magic = 2;
        String codec = "none";
        TimestampType type = TimestampType.CREATE_TIME;
        long offset;
        long appendTime = RecordBatch.NO_TIMESTAMP;
        long producerId = -1;
        short producerEpoch = -1;
        int sequence = -1;
        boolean transactional;
        boolean control;
        int leaderEpoch = -1;
        long deleteHorizon = -1;
        Long lastOffset;

        Plan(int magic, String codec, long offset) {
            this.magic = magic;
            this.codec = codec;
            this.offset = offset;
        }

        MemoryRecordsBuilder builder() {
            return new MemoryRecordsBuilder(new ByteBufferOutputStream(512), (byte) magic,
                Compression.of(CompressionType.forName(codec)).build(), type, offset, appendTime, producerId, producerEpoch,
                sequence, transactional, control, leaderEpoch, 1 << 26, deleteHorizon);
        }
    }

    interface Filling {
        void fill(MemoryRecordsBuilder builder) throws Exception;
    }

    static byte[] build(Plan plan, Filling filling) throws Exception {
        MemoryRecordsBuilder builder = plan.builder();
        filling.fill(builder);
        if (plan.lastOffset != null) {
            builder.overrideLastOffset(plan.lastOffset);
        }
        return bytes(builder.build());
    }

    static byte[] bytes(MemoryRecords records) {
        byte[] bytes = new byte[records.sizeInBytes()];
        records.buffer().duplicate().get(bytes);
        return bytes;
    }

    byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    long time(int magic, long delta) {
        return magic == 0 ? RecordBatch.NO_TIMESTAMP : TIME + delta;
    }

    void valid() throws Exception {
        for (int magic = 0; magic <= 2; magic++) {
            for (String codec : CODECS) {
                if (!codec.equals("zstd") || magic == 2) {
                    common(magic, codec);
                }
            }
        }
        for (String codec : CODECS) {
            onlyV2(codec);
        }
        control();
        mixed();
    }

    void common(int magic, String codec) throws Exception {
        String at = "v" + magic + "/" + codec + "/";
        Plan plain = new Plan(magic, codec, base);
        add("valid", at + "one", magic, codec, build(plain, b -> b.append(time(magic, 5), utf8("key"), utf8("value"))));
        add("valid", at + "one-at-zero", magic, codec, build(new Plan(magic, codec, 0),
            b -> b.append(time(magic, 0), null, noise(9))));
        add("valid", at + "null-key", magic, codec, build(plain, b -> b.append(time(magic, 1), null, noise(12))));
        add("valid", at + "null-value", magic, codec, build(plain, b -> b.append(time(magic, 1), noise(5), null)));
        add("valid", at + "null-both", magic, codec,
            build(plain, b -> b.append(time(magic, 1), (byte[]) null, (byte[]) null)));
        add("valid", at + "empty-key-value", magic, codec,
            build(plain, b -> b.append(time(magic, 1), new byte[0], new byte[0])));
        add("valid", at + "many", magic, codec, build(plain, b -> many(b, magic, many)));
        Plan appended = new Plan(magic, codec, base + 7);
        if (magic > 0) {
            appended.type = TimestampType.LOG_APPEND_TIME;
            appended.appendTime = TIME + 77_777;
            add("valid", at + "log-append-time", magic, codec, build(appended, b -> many(b, magic, 3)));
            add("valid", at + "timestamps-going-back", magic, codec, build(plain, b -> {
                long[] deltas = {0, -1, -5_000_000_000L, 3, 9_000_000_000L, -1_000_000};
                for (long delta : deltas) {
                    b.append(TIME + delta, null, noise(3));
                }
            }));
            add("valid", at + "no-timestamp", magic, codec, build(plain, b -> {
                b.append(-1L, null, utf8("a"));
                b.append(-1L, null, utf8("b"));
            }));
        }
        byte[] gaps = build(plain, b -> {
            for (int gap : new int[] {0, 3, 4, 40, 1000}) {
                b.appendWithOffset(base + gap, time(magic, gap), noise(4), noise(10));
            }
        });
        add("valid", at + "offset-gaps", magic, codec, gaps);
        add("valid", at + "near-max-offset", magic, codec, build(new Plan(magic, codec, Long.MAX_VALUE - 9), b -> {
            for (int i = 0; i < 9; i++) {
                b.append(time(magic, i), null, noise(2));
            }
        }));
        byte[] second = build(new Plan(magic, codec, base + 2000), b -> many(b, magic, 2));
        byte[] third = build(new Plan(magic, "none", base + 2010), b -> many(b, magic, 1));
        byte[] three = join(gaps, second, third);
        add("valid", at + "three-sets", magic, codec, three);
        add("valid", at + "truncated-last", magic, codec, Arrays.copyOf(three, gaps.length + second.length - 1));
        add("valid", at + "truncated-in-header", magic, codec, Arrays.copyOf(three, gaps.length + 16));
        add("valid", at + "truncated-in-size", magic, codec, Arrays.copyOf(three, gaps.length + 11));
        add("valid", at + "truncated-first", magic, codec, Arrays.copyOf(gaps, gaps.length - 1));
        byte[] corrupt = three.clone();
        int victim = magic == 0 && codec.equals("none") ? 0 : gaps.length;
        corrupt[victim + (magic == 2 ? 20 : 15)] ^= 1;
        add("malformed", at + "bad-crc", magic, codec, corrupt);
        byte[] flipped = gaps.clone();
        flipped[flipped.length - 2] ^= 0x10;
        add("malformed", at + "bad-content", magic, codec, flipped);
        byte[] value = new byte[bulk];
        byte[] pattern = noise(97);
        for (int i = 0; i < value.length; i++) {
            value[i] = pattern[i % pattern.length];
        }
        if (!codec.equals("none")) {
            add("valid", at + "bulk", magic, codec, build(plain, b -> b.append(time(magic, 1), utf8("big"), value)));
        } else if (magic == 2) {
            add("valid", at + "bulk", magic, codec, build(plain, b -> b.append(time(magic, 1), utf8("big"), value)));
        }
    }

    void many(MemoryRecordsBuilder builder, int magic, int count) {
        for (int i = 0; i < count; i++) {
            byte[] key = random.nextInt(4) == 0 ? null : utf8("key-" + random.nextInt(10));
            byte[] value = random.nextInt(9) == 0 ? null : noise(random.nextInt(60));
            builder.append(time(magic, i * 10L + random.nextInt(30)), key, value);
        }
    }

    void onlyV2(String codec) throws Exception {
        String at = "v2/" + codec + "/";
        Header[] headers = {
            new RecordHeader("a", utf8("1")), new RecordHeader("a", null), new RecordHeader("a", new byte[0]),
            new RecordHeader("", noise(3)), new RecordHeader("sch\u00f6n \ud83d\ude80 \u65e5\u672c", noise(200)),
        };
        add("valid", at + "headers", 2, codec, build(new Plan(2, codec, base), b -> {
            b.append(TIME, utf8("k"), utf8("v"), headers);
            b.append(TIME + 1, utf8("k"), utf8("v"), NO_HEADERS);
            b.append(TIME + 2, (byte[]) null, null, new Header[] {new RecordHeader("only", null)});
        }));
        Header[] crowd = new Header[130];
        for (int i = 0; i < crowd.length; i++) {
            crowd[i] = new RecordHeader("h" + i % 7, noise(random.nextInt(3)));
        }
        add("valid", at + "many-headers", 2, codec, build(new Plan(2, codec, base),
            b -> b.append(TIME, null, noise(1), crowd)));
        Plan idempotent = new Plan(2, codec, base);
        idempotent.producerId = 4_000_000_000_001L;
        idempotent.producerEpoch = 3;
        idempotent.sequence = 17;
        idempotent.leaderEpoch = 12;
        add("valid", at + "idempotent", 2, codec, build(idempotent, b -> many(b, 2, 4)));
        idempotent.sequence = Integer.MAX_VALUE - 1;
        add("valid", at + "sequence-wraps", 2, codec, build(idempotent, b -> many(b, 2, 5)));
        Plan transactional = new Plan(2, codec, base);
        transactional.producerId = 77;
        transactional.producerEpoch = Short.MAX_VALUE;
        transactional.sequence = 0;
        transactional.transactional = true;
        transactional.leaderEpoch = 5;
        byte[] data = build(transactional, b -> many(b, 2, 4));
        add("valid", at + "transactional", 2, codec, data);
        byte[] commit = marker(base + 4, ControlRecordType.COMMIT);
        byte[] abort = marker(base + 4, ControlRecordType.ABORT);
        add("valid", at + "transactional-commit", 2, codec, join(data, commit));
        add("valid", at + "transactional-abort", 2, codec, join(data, abort));
        Plan compacted = new Plan(2, codec, base);
        compacted.lastOffset = base + 500;
        compacted.leaderEpoch = 9;
        add("valid", at + "compacted-tail", 2, codec, build(compacted, b -> {
            b.appendWithOffset(base + 20, TIME - 50, utf8("k1"), utf8("v"));
            b.appendWithOffset(base + 21, TIME + 50, utf8("k2"), null);
        }));
        Plan horizon = new Plan(2, codec, base);
        horizon.deleteHorizon = TIME + 86_400_000;
        add("valid", at + "delete-horizon", 2, codec, build(horizon, b -> {
            b.append(TIME, utf8("k1"), null);
            b.append(TIME + 9, utf8("k2"), utf8("v2"));
        }));
        add("valid", at + "compacted-by-filter", 2, codec, filtered(build(new Plan(2, codec, base), b -> many(b, 2, 12))));
        byte[] half = noise(70_000 + random.nextInt(5000));
        byte[] mixed = Arrays.copyOf(half, 2 * half.length);
        add("valid", at + "several-blocks", 2, codec, codec.equals("none") ? build(new Plan(2, codec, base),
            b -> b.append(TIME, null, Arrays.copyOf(half, 3000))) : build(new Plan(2, codec, base), b -> {
                b.append(TIME, utf8("first"), mixed);
                b.append(TIME + 1, utf8("second"), Arrays.copyOf(mixed, 3000));
            }));
    }

    /** Keeps every third record, as a log cleaner does. */
    static byte[] filtered(byte[] bytes) {
        MemoryRecords.RecordFilter filter = new MemoryRecords.RecordFilter(TIME, 60_000) {
            @Override
            protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
                return new BatchRetentionResult(BatchRetention.DELETE_EMPTY, false);
            }

            @Override
            protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
                return record.offset() % 3 == 1;
            }
        };
        ByteBuffer output = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).filterTo(new TopicPartition("t", 0), filter,
            ByteBuffer.allocate(bytes.length + 64), Integer.MAX_VALUE, BufferSupplier.NO_CACHING).outputBuffer();
        output.flip();
        byte[] kept = new byte[output.remaining()];
        output.get(kept);
        return kept;
    }

    static byte[] marker(long offset, ControlRecordType type) {
        return bytes(MemoryRecords.withEndTransactionMarker(offset, TIME + 999, 5, 77, Short.MAX_VALUE,
            new EndTransactionMarker(type, type == ControlRecordType.COMMIT ? 31 : 0)));
    }

    void control() throws Exception {
        add("valid", "v2/none/commit-marker", 2, "none", marker(base, ControlRecordType.COMMIT));
        add("valid", "v2/none/abort-marker", 2, "none", marker(base, ControlRecordType.ABORT));
        ByteBuffer room = ByteBuffer.allocate(2048);
        add("valid", "v2/none/leader-change", 2, "none", bytes(MemoryRecords.withLeaderChangeMessage(base, TIME, 4, room,
            new LeaderChangeMessage().setLeaderId(3).setVoters(List.of(new LeaderChangeMessage.Voter().setVoterId(3))))));
        add("valid", "v2/none/snapshot-header", 2, "none", bytes(MemoryRecords.withSnapshotHeaderRecord(base, TIME, 4,
            ByteBuffer.allocate(2048), new SnapshotHeaderRecord().setLastContainedLogTimestamp(TIME))));
        add("valid", "v2/none/snapshot-footer", 2, "none", bytes(MemoryRecords.withSnapshotFooterRecord(base, TIME, 4,
            ByteBuffer.allocate(2048), new SnapshotFooterRecord())));
        add("valid", "v2/none/kraft-version", 2, "none", bytes(MemoryRecords.withKRaftVersionRecord(base, TIME, 4,
            ByteBuffer.allocate(2048), new KRaftVersionRecord().setKRaftVersion((short) 1))));
        add("valid", "v2/none/kraft-voters", 2, "none", bytes(MemoryRecords.withVotersRecord(base, TIME, 4,
            ByteBuffer.allocate(2048), new VotersRecord().setVoters(List.of(new VotersRecord.Voter().setVoterId(2)
                .setVoterDirectoryId(new Uuid(random.nextLong(), random.nextLong())))))));
    }

    void mixed() throws Exception {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long offset = base;
        for (int magic = 0; magic <= 2; magic++) {
            for (String codec : new String[] {"none", "gzip", "lz4"}) {
                int at = magic;
                all.write(build(new Plan(magic, codec, offset), b -> many(b, at, 2)));
                offset += 2;
            }
        }
        add("valid", "mixed/all-formats", 2, "mixed", all.toByteArray());
        add("valid", "mixed/nothing", 2, "none", new byte[0]);
        ByteArrayOutputStream codecs = new ByteArrayOutputStream();
        for (String codec : CODECS) {
            codecs.write(build(new Plan(2, codec, offset), b -> many(b, 2, 3)));
            offset += 3;
        }
        add("valid", "mixed/all-codecs", 2, "mixed", codecs.toByteArray());
    }

    // ------------------------------------------------------------ by hand

    /** A v2 batch whose parts can all be wrong on purpose. */
    static final class Batch {
        long baseOffset = handOffset;
        Integer length;
        int leaderEpoch = 1;
        int magic = 2;
        Integer crc;
        int attributes;
        int lastOffsetDelta;
        long baseTimestamp = TIME;
        long maxTimestamp = TIME + 10;
        long producerId = -1;
        int producerEpoch = -1;
        int sequence = -1;
        int count;
        byte[] body;

        Batch(int count, byte[]... records) {
            this.count = count;
            this.lastOffsetDelta = Math.max(0, count - 1);
            this.body = join(records);
        }

        Batch attributes(int value) {
            attributes = value;
            return this;
        }

        byte[] bytes() {
            ByteBuffer buffer = ByteBuffer.allocate(61 + body.length);
            buffer.putLong(baseOffset).putInt(length == null ? 49 + body.length : length).putInt(leaderEpoch);
            buffer.put((byte) magic).putInt(0).putShort((short) attributes).putInt(lastOffsetDelta);
            buffer.putLong(baseTimestamp).putLong(maxTimestamp).putLong(producerId).putShort((short) producerEpoch);
            buffer.putInt(sequence).putInt(count).put(body);
            CRC32C sum = new CRC32C();
            sum.update(buffer.array(), 21, buffer.capacity() - 21);
            buffer.putInt(17, crc == null ? (int) sum.getValue() : crc);
            return buffer.array();
        }
    }

    static byte[] varint(long value) {
        ByteBuffer buffer = ByteBuffer.allocate(10);
        ByteUtils.writeVarlong(value, buffer);
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** A record around a body that starts with the attributes. */
    static byte[] record(byte[]... body) {
        byte[] all = join(body);
        return join(varint(all.length), all);
    }

    static byte[] record(int delta) {
        return record(new byte[1], varint(delta), varint(delta), varint(1), utf8("k"), varint(salt.length() + 1),
            utf8(salt + delta), varint(0));
    }

    static byte[] compress(String codec, byte[] body) throws IOException {
        ByteBufferOutputStream out = new ByteBufferOutputStream(256);
        try (OutputStream stream =
            Compression.of(CompressionType.forName(codec)).build().wrapForOutput(out, RecordBatch.MAGIC_VALUE_V2)) {
            stream.write(body);
        }
        out.buffer().flip();
        byte[] bytes = new byte[out.buffer().remaining()];
        out.buffer().get(bytes);
        return bytes;
    }

    static int id(String codec) {
        return CompressionType.forName(codec).id;
    }

    static byte[] lz4(byte[] body, int blockSize, boolean blockChecksum, boolean broken) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Lz4BlockOutputStream stream = new Lz4BlockOutputStream(out, blockSize, 9, blockChecksum, broken)) {
            stream.write(body);
        }
        return out.toByteArray();
    }

    static byte[] gzip(byte[] body) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream stream = new GZIPOutputStream(out)) {
            stream.write(body);
        }
        return out.toByteArray();
    }

    void framed(String group, String name, String codec, int count, byte[] compressed) {
        Batch batch = new Batch(count, compressed).attributes(id(codec));
        add(group, "v2/" + codec + "/" + name, 2, codec, batch.bytes());
    }

    /** Framings that this Java writer does not choose itself; what its reader says about them is in the vector. */
    void framing() throws Exception {
        byte[] records = join(record(0), record(1), record(2));
        byte[] head = Arrays.copyOf(records, 9);
        byte[] tail = Arrays.copyOfRange(records, 9, records.length);
        byte[] long0 = record(new byte[1], varint(0), varint(0), varint(-1), varint(150_000), new byte[150_000], varint(0));
        framed("framing", "several-members", "gzip", 3, join(gzip(head), gzip(tail)));
        framed("framing", "empty-first-member", "gzip", 3, join(gzip(new byte[0]), gzip(records)));
        framed("framing", "header-with-name", "gzip", 3,
            join(hex("1f8b0808000000000003"), utf8("name"), new byte[1], Arrays.copyOfRange(gzip(records), 10, gzip(records).length)));
        framed("framing", "raw-block", "snappy", 3, Snappy.compress(records));
        byte[] xerial = compress("snappy", records);
        byte[] odd = xerial.clone();
        System.arraycopy(hex("0100000001000000"), 0, odd, 8, 8);
        framed("framing", "little-endian-versions", "snappy", 3, odd);
        framed("framing", "two-chunks", "snappy", 3, join(Arrays.copyOf(xerial, 16), chunk(Snappy.compress(head)), chunk(Snappy.compress(tail))));
        framed("framing", "one-big-chunk", "snappy", 1, join(Arrays.copyOf(xerial, 16), chunk(Snappy.compress(long0))));
        for (int size = 4; size <= 7; size++) {
            framed("framing", "block-size-" + size, "lz4", 1, lz4(long0, size, false, false));
        }
        framed("framing", "block-checksum", "lz4", 3, lz4(records, 4, true, false));
        framed("framing", "content-size", "lz4", 3, withContentSize(lz4(records, 4, false, false), records.length));
        framed("framing", "content-checksum", "lz4", 3, withContentChecksum(lz4(records, 4, false, false), records));
        framed("malformed", "two-frames", "lz4", 3, join(lz4(head, 4, false, false), lz4(tail, 4, false, false)));
        framed("framing", "several-frames", "zstd", 3, join(compress("zstd", head), compress("zstd", tail)));
        framed("framing", "skippable-frame", "zstd", 3, join(hex("502a4d18 03000000 010203"), compress("zstd", records)));
        framed("framing", "content-size", "zstd", 3, com.github.luben.zstd.Zstd.compress(records));
        for (String codec : new String[] {"gzip", "snappy", "lz4", "zstd"}) {
            framed("framing", "no-records", codec, 0, compress(codec, new byte[0]));
        }
        Batch empty = new Batch(0);
        empty.lastOffsetDelta = 41;
        add("framing", "v2/none/no-records", 2, "none", empty.bytes());
        add("framing", "v2/none/no-records-then-one", 2, "none", join(empty.bytes(), follow(handOffset + 42).bytes()));
    }

    static Batch follow(long offset) {
        Batch batch = new Batch(1, record(0));
        batch.baseOffset = offset;
        return batch;
    }

    static byte[] chunk(byte[] block) {
        return join(ByteBuffer.allocate(4).putInt(block.length).array(), block);
    }

    static int xxh32(byte[] data, int from, int to) {
        return net.jpountz.xxhash.XXHashFactory.safeInstance().hash32().hash(data, from, to - from, 0);
    }

    static byte[] withContentSize(byte[] frame, long size) {
        ByteBuffer buffer = ByteBuffer.allocate(frame.length + 8).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        buffer.put(frame, 0, 6).putLong(size).put((byte) 0).put(frame, 7, frame.length - 7);
        buffer.put(4, (byte) (frame[4] | 8));
        buffer.put(14, (byte) (xxh32(buffer.array(), 4, 14) >> 8));
        return buffer.array();
    }

    static byte[] withContentChecksum(byte[] frame, byte[] content) {
        ByteBuffer buffer = ByteBuffer.allocate(frame.length + 4).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        buffer.put(frame).putInt(xxh32(content, 0, content.length));
        buffer.put(4, (byte) (frame[4] | 4));
        buffer.put(6, (byte) (xxh32(buffer.array(), 4, 6) >> 8));
        return buffer.array();
    }

    void v2(String name, Batch batch) {
        add("malformed", "v2/none/" + name, 2, "none", batch.bytes());
    }

    void malformedV2() throws Exception {
        byte[][] three = {record(0), record(1), record(2)};
        Batch batch = new Batch(3, three);
        batch.length = 49 + batch.body.length + 1000;
        v2("length-past-end", batch);
        for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 13, 14, 20, 48}) {
            batch = new Batch(3, three);
            batch.length = length;
            v2("length-" + length, batch);
        }
        batch = new Batch(3, three);
        batch.length = Integer.MAX_VALUE;
        add("tolerated", "v2/none/length-max", 2, "none", batch.bytes());
        batch = new Batch(3, three);
        batch.length = 49 + batch.body.length - 4;
        v2("length-too-short", batch);
        batch = new Batch(0);
        v2("length-49-count-0", batch);
        for (int count : new int[] {4, 2, 0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            batch = new Batch(count, three);
            batch.lastOffsetDelta = 2;
            v2("count-" + count + "-of-3", batch);
            for (String codec : new String[] {"gzip", "lz4"}) {
                batch = new Batch(count, compress(codec, join(three))).attributes(id(codec));
                batch.lastOffsetDelta = 2;
                add("malformed", "v2/" + codec + "/count-" + count + "-of-3", 2, codec, batch.bytes());
            }
        }
        for (int magic : new int[] {3, 127, -1, -128}) {
            batch = new Batch(3, three);
            batch.magic = magic;
            add("malformed", "v2/none/magic-" + magic, magic, "none", batch.bytes());
            add("malformed", "v2/none/good-then-magic-" + magic, magic, "none", join(follow(handOffset - 1).bytes(), batch.bytes()));
        }
        for (int codec = 5; codec <= 7; codec++) {
            add("malformed", "v2/" + codec + "/unknown-codec", 2, String.valueOf(codec),
                new Batch(3, three).attributes(codec).bytes());
        }
        batch = new Batch(3, three);
        batch.crc = 0;
        v2("crc-zero", batch);
        add("malformed", "v2/none/good-then-crc-zero", 2, "none", join(follow(handOffset - 3).bytes(), batch.bytes(), follow(handOffset + 3).bytes()));
        malformedRecords();
        oddButLegal(three);
        malformedStreams(three);
    }

    void one(String name, byte[] record) throws IOException {
        v2(name, new Batch(2, record, record(1)));
        Batch packed = new Batch(2, compress("gzip", join(record, record(1)))).attributes(1);
        add("malformed", "v2/gzip/" + name, 2, "gzip", packed.bytes());
    }

    void malformedRecords() throws Exception {
        byte[] attributes = {0};
        byte[] zero = varint(0);
        byte[] key = join(varint(1), utf8("k"));
        byte[] value = join(varint(salt.length()), utf8(salt));
        byte[] good = join(attributes, zero, zero, key, value, zero);
        one("record-length-negative", join(varint(-1), good));
        one("record-length-min", join(varint(Integer.MIN_VALUE), good));
        one("record-length-zero", join(varint(0), good));
        one("record-length-one-less", join(varint(good.length - 1), good));
        one("record-length-one-more", join(varint(good.length + 1), good));
        one("record-length-past-end", join(varint(5000), good));
        one("record-length-huge", join(varint(1 << 28), good));
        one("record-length-one-more-with-byte", join(varint(good.length + 1), good, new byte[1]));
        one("record-length-six-bytes", join(hex("8080808080 01"), good));
        one("record-length-padded", join(padded(good.length, 0), good));
        one("record-length-excess-bits", join(padded(good.length, 0x70), good));
        one("timestamp-delta-eleven-bytes", record(attributes, hex("80808080808080808080 01"), zero, key, value, zero));
        one("timestamp-delta-excess-bits", record(attributes, hex("8080808080808080807e"), zero, key, value, zero));
        one("timestamp-delta-min", record(attributes, varint(Long.MIN_VALUE), zero, key, value, zero));
        one("offset-delta-six-bytes", record(attributes, zero, hex("808080808001"), key, value, zero));
        one("offset-delta-negative", record(attributes, zero, varint(-3), key, value, zero));
        one("offset-delta-max", record(attributes, zero, varint(Integer.MAX_VALUE), key, value, zero));
        one("key-length-minus-2", record(attributes, zero, zero, varint(-2), value, zero));
        one("key-length-past-record", record(attributes, zero, zero, varint(100), utf8("k"), value, zero));
        one("value-length-minus-2", record(attributes, zero, zero, key, varint(-2), zero));
        one("value-length-past-record", record(attributes, zero, zero, key, varint(1000), utf8("v"), zero));
        one("value-length-huge", record(attributes, zero, zero, key, varint(Integer.MAX_VALUE), utf8("v"), zero));
        one("header-count-negative", record(attributes, zero, zero, key, value, varint(-1)));
        one("header-count-too-many", record(attributes, zero, zero, key, value, varint(2), varint(1), utf8("h"), varint(-1)));
        one("header-count-huge", record(attributes, zero, zero, key, value, varint(Integer.MAX_VALUE)));
        one("header-count-missing", record(attributes, zero, zero, key, value));
        one("header-key-null", record(attributes, zero, zero, key, value, varint(1), varint(-1), varint(-1)));
        one("header-key-past-record", record(attributes, zero, zero, key, value, varint(1), varint(50), utf8("h"), varint(-1)));
        one("header-value-minus-2", record(attributes, zero, zero, key, value, varint(1), varint(1), utf8("h"), varint(-2)));
        one("header-value-past-record", record(attributes, zero, zero, key, value, varint(1), varint(1), utf8("h"), varint(9)));
        one("header-key-not-utf8", record(attributes, zero, zero, key, value, varint(1), varint(2), hex("c328"), varint(-1)));
        one("record-attributes-set", record(hex("ff"), zero, zero, key, value, zero));
        one("record-ends-after-attributes", record(attributes));
    }

    /** A five-byte varint of a small number, with any last byte. */
    static byte[] padded(int value, int last) {
        int zigzag = value << 1;
        return new byte[] {(byte) (zigzag & 127 | 128), (byte) (zigzag >> 7 & 127 | 128), (byte) 128, (byte) 128, (byte) last};
    }

    void oddButLegal(byte[][] three) throws Exception {
        v2("unused-attribute-bits", new Batch(3, three).attributes(0x7f80));
        v2("attribute-sign-bit", new Batch(3, three).attributes(0x8000));
        Batch batch = new Batch(3, three);
        batch.lastOffsetDelta = 0;
        v2("last-delta-below-records", batch);
        batch = new Batch(3, three);
        batch.lastOffsetDelta = -1;
        v2("last-delta-negative", batch);
        batch = new Batch(3, three);
        batch.baseOffset = Long.MAX_VALUE - 1;
        v2("offset-overflows", batch);
        batch = new Batch(3, three);
        batch.baseOffset = -5;
        v2("base-offset-negative", batch);
        batch = new Batch(3, three);
        batch.baseTimestamp = -1;
        batch.maxTimestamp = -1;
        v2("base-timestamp-none", batch);
        batch = new Batch(3, three);
        batch.baseTimestamp = Long.MIN_VALUE;
        v2("base-timestamp-min", batch);
        batch = new Batch(3, three);
        batch.maxTimestamp = TIME - 1000;
        v2("max-timestamp-below-records", batch);
        v2("offsets-going-back", new Batch(3, record(2), record(0), record(1)));
        v2("offsets-repeated", new Batch(3, record(1), record(1), record(1)));
        byte[][] keys = {hex("0000"), hex(""), hex("ffff0001"), hex("00000063"), hex("00050001"), hex("00000001ffff"), hex("0000ffff")};
        for (byte[] key : keys) {
            batch = new Batch(1, record(new byte[1], varint(0), varint(0), varint(key.length), key, varint(6),
                hex("00000000001f"), varint(0))).attributes(0x30);
            batch.producerId = 9;
            batch.producerEpoch = 1;
            v2("control-key-" + (key.length == 0 ? "empty" : HexFormat.of().formatHex(key)), batch);
        }
        byte[][] values = {hex(""), hex("0000"), hex("ffff0000001f"), hex("00010000001f0203")};
        for (byte[] value : values) {
            batch = new Batch(1, record(new byte[1], varint(0), varint(0), varint(4), hex("00000000"), varint(value.length),
                value, varint(0))).attributes(0x30);
            batch.producerId = 9;
            batch.producerEpoch = 1;
            v2("control-value-" + (value.length == 0 ? "empty" : HexFormat.of().formatHex(value)), batch);
        }
        batch = new Batch(1, record(new byte[1], varint(0), varint(0), varint(-1), varint(-1), varint(0))).attributes(0x30);
        v2("control-key-null", batch);
    }

    void malformedStreams(byte[][] three) throws Exception {
        byte[] records = join(three);
        for (String codec : new String[] {"gzip", "snappy", "lz4", "zstd"}) {
            byte[] good = compress(codec, records);
            framed("malformed", "empty-body", codec, 3, new byte[0]);
            framed("malformed", "empty-body-count-0", codec, 0, new byte[0]);
            framed("malformed", "garbage", codec, 3, hex("deadbeef00112233445566778899aabbccddeeff"));
            framed("malformed", "stream-cut", codec, 3, Arrays.copyOf(good, good.length - 9));
            framed("malformed", "stream-cut-by-one", codec, 3, Arrays.copyOf(good, good.length - 1));
            framed("malformed", "stream-cut-in-header", codec, 3, Arrays.copyOf(good, 3));
            framed("malformed", "stream-trailing-bytes", codec, 3, join(good, hex("01020304050607")));
            framed("malformed", "stream-not-compressed", codec, 3, records);
            framed("malformed", "extra-bytes-inside", codec, 3, compress(codec, join(records, new byte[5])));
        }
        byte[] xerial = compress("snappy", records);
        byte[] head = Arrays.copyOf(xerial, 16);
        framed("malformed", "chunk-negative", "snappy", 3, join(head, hex("ffffffff"), Snappy.compress(records)));
        framed("malformed", "chunk-past-end", "snappy", 3, join(head, hex("00001000"), Snappy.compress(records)));
        framed("malformed", "chunk-huge", "snappy", 3, join(head, hex("7fffffff"), Snappy.compress(records)));
        framed("malformed", "chunk-zero", "snappy", 3, join(head, hex("00000000"), chunk(Snappy.compress(records))));
        framed("malformed", "claims-2-gib", "snappy", 3, join(head, chunk(hex("ffffffff07 00"))));
        byte[] frame = lz4(records, 4, false, false);
        byte[] wrong = frame.clone();
        wrong[6] ^= 1;
        framed("malformed", "header-checksum-wrong", "lz4", 3, wrong);
        framed("malformed", "header-checksum-of-v0", "lz4", 3, lz4(records, 4, false, true));
        framed("malformed", "dependent-blocks", "lz4", 3, flagged(frame, 4, 0x40));
        framed("malformed", "version-2", "lz4", 3, flagged(frame, 4, 0xa0));
        framed("malformed", "block-size-3", "lz4", 3, flagged(frame, 5, 0x30));
        framed("malformed", "reserved-bit", "lz4", 3, flagged(frame, 4, 0x62));
        byte[] checked = lz4(records, 4, true, false);
        checked[checked.length - 6] ^= 1;
        framed("malformed", "block-checksum-wrong", "lz4", 3, checked);
        byte[] endless = Arrays.copyOf(frame, frame.length - 4);
        framed("malformed", "no-end-mark", "lz4", 3, endless);
        byte[] huge = frame.clone();
        huge[10] = 0x7f;
        framed("malformed", "block-past-end", "lz4", 3, huge);
        framed("malformed", "claims-1-tib", "zstd", 3, hex("28b52ffd e0 0000000000010000 010000"));
        framed("malformed", "window-2-gib", "zstd", 3, hex("28b52ffd 00 a8 010000"));
        framed("malformed", "dictionary-wanted", "zstd", 3, hex("28b52ffd 23 07000000 00 010000"));
        byte[] crc = gzip(records);
        crc[crc.length - 5] ^= 1;
        framed("malformed", "crc-wrong", "gzip", 3, crc);
        byte[] size = gzip(records);
        size[size.length - 1] ^= 1;
        framed("malformed", "size-wrong", "gzip", 3, size);
    }

    static byte[] flagged(byte[] frame, int at, int value) {
        byte[] copy = frame.clone();
        copy[at] = (byte) value;
        copy[6] = (byte) (xxh32(copy, 4, 6) >> 8);
        return copy;
    }

    // ------------------------------------------------------------ magic 0 and 1 by hand

    /** A v0 or v1 message whose parts can all be wrong on purpose. */
    static byte[] message(int magic, long offset, int attributes, Integer keyLength, byte[] key, Integer valueLength, byte[] value) {
        int size = 14 + (magic == 0 ? 0 : 8) + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        ByteBuffer buffer = ByteBuffer.allocate(12 + size);
        buffer.putLong(offset).putInt(size).putInt(0).put((byte) magic).put((byte) attributes);
        if (magic != 0) {
            buffer.putLong(TIME + offset % 1000);
        }
        buffer.putInt(keyLength != null ? keyLength : key == null ? -1 : key.length);
        if (key != null) {
            buffer.put(key);
        }
        buffer.putInt(valueLength != null ? valueLength : value == null ? -1 : value.length);
        if (value != null) {
            buffer.put(value);
        }
        return summed(buffer.array());
    }

    static byte[] message(int magic, long offset, int attributes, byte[] key, byte[] value) {
        return message(magic, offset, attributes, null, key, null, value);
    }

    static byte[] summed(byte[] message) {
        CRC32 sum = new CRC32();
        sum.update(message, 16, message.length - 16);
        ByteBuffer.wrap(message).putInt(12, (int) sum.getValue());
        return message;
    }

    static byte[] sized(byte[] message, int size) {
        byte[] copy = message.clone();
        ByteBuffer.wrap(copy).putInt(8, size);
        return copy;
    }

    void legacy(String group, int magic, String codec, String name, byte[] bytes) {
        add(group, "v" + magic + "/" + codec + "/" + name, magic, codec, bytes);
    }

    void malformedLegacy() throws Exception {
        for (int magic = 0; magic <= 1; magic++) {
            int minimum = magic == 0 ? 14 : 22;
            byte[] good = message(magic, single, 0, utf8("k"), utf8(salt + "alue"));
            byte[] next = message(magic, 41, 0, utf8("k"), utf8("next"));
            for (int size : new TreeSet<>(List.of(Integer.MIN_VALUE, -1, 0, 13, minimum - 1, minimum, good.length - 13))) {
                legacy("malformed", magic, "none", "size-" + size, join(sized(good, size), next));
            }
            legacy("malformed", magic, "none", "size-past-end", sized(good, 5000));
            legacy("malformed", magic, "none", "key-length-minus-2", join(message(magic, single, 0, -2, null, null, utf8("v")), next));
            legacy("malformed", magic, "none", "key-length-past-end", join(message(magic, single, 0, 500, utf8("k"), null, utf8("v")), next));
            legacy("malformed", magic, "none", "value-length-minus-2", join(message(magic, single, 0, null, utf8("k"), -2, null), next));
            legacy("malformed", magic, "none", "value-length-past-end", join(message(magic, single, 0, null, utf8("k"), 500, utf8("v")), next));
            legacy("malformed", magic, "none", "value-length-short", join(message(magic, single, 0, null, utf8("k"), 1, utf8("vvv")), next));
            legacy("malformed", magic, "none", "unused-attribute-bits", join(message(magic, single, 0xf0, utf8("k"), utf8("v")), next));
            legacy("malformed", magic, "none", "timestamp-type-bit", join(message(magic, single, 8, utf8("k"), utf8("v")), next));
            for (int codec = 4; codec <= 7; codec++) {
                legacy("malformed", magic, codec == 4 ? "zstd" : String.valueOf(codec), "codec-not-allowed",
                    message(magic, single, codec, null, codec == 4 ? compress("zstd", good) : good));
            }
            byte[] inner0 = message(magic, magic == 0 ? 40 : 0, 0, utf8("a"), utf8(salt + 1));
            byte[] inner1 = message(magic, magic == 0 ? 41 : 1, 0, utf8("b"), utf8(salt + 2));
            byte[] inner5 = message(magic, magic == 0 ? 45 : 5, 0, null, null);
            byte[] set = join(inner0, inner1, inner5);
            legacy("framing", magic, "gzip", "wrapper", message(magic, 45, 1, null, gzip(set)));
            legacy("framing", magic, "gzip", "wrapper-with-key", message(magic, 45, 1, utf8("key"), gzip(set)));
            legacy("framing", magic, "gzip", "wrapper-offset-zero", message(magic, 0, 1, null, gzip(set)));
            legacy("framing", magic, "gzip", "wrapper-offset-low", message(magic, 3, 1, null, gzip(set)));
            legacy("framing", magic, "gzip", "wrapper-log-append-time", message(magic, 45, 9, null, gzip(set)));
            legacy("framing", magic, "gzip", "inner-relative-from-7", message(magic, 50, 1, null,
                gzip(join(message(magic, 7, 0, null, utf8("x")), message(magic, 9, 0, null, utf8("y"))))));
            legacy("framing", magic, "snappy", "raw-block", message(magic, 45, 2, null, Snappy.compress(set)));
            legacy("framing", magic, "lz4", "header-checksum-right", message(magic, 45, 3, null, lz4(set, 4, false, false)));
            legacy("framing", magic, "lz4", "header-checksum-of-v0", message(magic, 45, 3, null, lz4(set, 4, false, true)));
            legacy("malformed", magic, "gzip", "wrapper-null-value", message(magic, 45, 1, null, null));
            legacy("malformed", magic, "gzip", "wrapper-empty-value", message(magic, 45, 1, null, new byte[0]));
            legacy("malformed", magic, "gzip", "wrapper-empty-set", message(magic, 45, 1, null, gzip(new byte[0])));
            legacy("malformed", magic, "gzip", "wrapper-nested",
                message(magic, 45, 1, null, gzip(join(inner0, message(magic, 1, 1, null, gzip(inner1))))));
            legacy("malformed", magic, "gzip", "inner-other-magic",
                message(magic, 45, 1, null, gzip(join(inner0, message(1 - magic, 1, 0, null, utf8("x"))))));
            byte[] bad = inner1.clone();
            bad[bad.length - 1] ^= 1;
            legacy("malformed", magic, "gzip", "inner-bad-crc", message(magic, 45, 1, null, gzip(join(inner0, bad, inner5))));
            legacy("malformed", magic, "gzip", "inner-cut", message(magic, 45, 1, null, gzip(Arrays.copyOf(set, set.length - 3))));
            legacy("malformed", magic, "gzip", "inner-size-small",
                message(magic, 45, 1, null, gzip(join(inner0, sized(inner1, 5), inner5))));
            legacy("malformed", magic, "gzip", "inner-size-huge",
                message(magic, 45, 1, null, gzip(join(inner0, sized(inner1, 1 << 28), inner5))));
            legacy("malformed", magic, "gzip", "stream-cut", message(magic, 45, 1, null, Arrays.copyOf(gzip(set), gzip(set).length - 12)));
            legacy("malformed", magic, "gzip", "garbage", message(magic, 45, 1, null, hex("deadbeef00112233445566778899")));
            legacy("malformed", magic, "lz4", "garbage", message(magic, 45, 3, null, hex("deadbeef00112233445566778899")));
            legacy("malformed", magic, "snappy", "garbage", message(magic, 45, 2, null, hex("deadbeef00112233445566778899")));
            byte[] v2 = new Batch(1, record(0)).bytes();
            legacy("malformed", magic, "gzip", "inner-v2-batch", message(magic, 45, 1, null, gzip(v2)));
        }
        legacy("framing", 1, "none", "padding-tail", join(message(1, single, 0, null, utf8("v")),
            ByteBuffer.allocate(40).putLong(-1).putInt(1 << 20).array()));
    }
}
