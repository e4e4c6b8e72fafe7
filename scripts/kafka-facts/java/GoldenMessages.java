import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.BaseRecords;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;

/**
 * Writes golden messages: bytes of every message in every version, and the values in them, by Kafka's own generated classes.
 * Run by scripts/kafka-facts/golden.ts. It must write the same bytes for the same seed and release.
 *
 * <p>Usage: {@code GoldenMessages RELEASE SEED OUT.jsonl}. RELEASE is the version of kafka-clients on the class path. It is
 * copied into the output.
 */
public final class GoldenMessages {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    static final ObjectMapper MAPPER = new ObjectMapper();
    static final String PACKAGE = "org.apache.kafka.common.message.";
    static final String[] HEADERS = {"RequestHeader", "ResponseHeader"};
    static final String[] DATA = {
        "AbortedTxn", "ConsumerProtocolAssignment", "ConsumerProtocolSubscription", "ControlRecordTypeSchema",
        "DefaultPrincipalData", "EndTxnMarker", "KRaftVersionRecord", "LeaderChangeMessage", "SnapshotFooterRecord", "SnapshotHeaderRecord",
        "VotersRecord"
    };
    static final String[] CASES = {
        "default", "random1", "random2", "random3", "nulls", "nullsInner", "empty", "boundaries", "boundaries2",
        "unknownTags", "long"
    };
    /** The only messages that get the bulky "long" case (32767-byte texts, 127 and more array elements). */
    static final Set<String> LONG = Set.of(
        "RequestHeader", "MetadataRequest", "DescribeGroupsRequest", "OffsetDeleteRequest", "SaslAuthenticateRequest");

    /** One message class with what the enclosing protocol says about it. */
    record Subject(String kind, Integer apiKey, String name, Class<?> type, ApiMessageType api) {
        Message create() {
            return (Message) construct(type);
        }

        Schema[] schemas() {
            try {
                return (Schema[]) type.getField("SCHEMAS").get(null);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        Integer headerVersion(short version) {
            return switch (kind) {
                case "request" -> (int) api.requestHeaderVersion(version);
                case "response" -> (int) api.responseHeaderVersion(version);
                default -> null;
            };
        }
    }

    public static void main(String[] args) throws Exception {
        writeVectors(args[0], Long.parseLong(args[1]), Path.of(args[2]));
    }

    static List<Subject> subjects() throws Exception {
        List<Subject> found = new ArrayList<>();
        for (String name : HEADERS) {
            found.add(new Subject("header", null, name, Class.forName(PACKAGE + name + "Data"), null));
        }
        for (ApiMessageType api : ApiMessageType.values()) {
            Message[] pair;
            try {
                pair = new Message[] {api.newRequest(), api.newResponse()};
            } catch (UnsupportedVersionException e) {
                continue; // a key whose messages this release has removed
            }
            for (Message message : pair) {
                String simple = message.getClass().getSimpleName();
                String name = simple.substring(0, simple.length() - "Data".length());
                String kind = name.endsWith("Request") ? "request" : "response";
                found.add(new Subject(kind, (int) api.apiKey(), name, message.getClass(), api));
            }
        }
        for (String name : DATA) {
            try {
                found.add(new Subject("data", null, name, Class.forName(PACKAGE + name), null));
            } catch (ClassNotFoundException e) {
                System.out.println("this release lacks " + name);
            }
        }
        return found;
    }

    // ------------------------------------------------------------ vectors

    static void writeVectors(String release, long seed, Path out) throws Exception {
        Map<String, Integer> counts = new LinkedHashMap<>();
        try (BufferedWriter writer = Files.newBufferedWriter(out, StandardCharsets.UTF_8)) {
            for (Subject subject : subjects()) {
                Schema[] schemas = subject.schemas();
                for (short version = 0; version < schemas.length; version++) {
                    if (schemas[version] == null) {
                        continue;
                    }
                    Set<String> seen = new HashSet<>();
                    for (String name : CASES) {
                        ObjectNode line = vector(release, seed, subject, version, schemas[version], name);
                        if (line != null && seen.add(line.get("hex").textValue())) {
                            writer.write(MAPPER.writeValueAsString(line));
                            writer.write('\n');
                            counts.merge(subject.kind(), 1, Integer::sum);
                        }
                    }
                }
            }
        }
        System.out.println(release + " seed " + seed + " " + counts);
    }

    static ObjectNode vector(String release, long seed, Subject subject, short version, Schema schema, String name)
        throws Exception {
        boolean flexible = taggedSection(schema) != null;
        if (name.equals("unknownTags") && !flexible || name.equals("long") && !LONG.contains(subject.name())) {
            return null;
        }
        Filler filler = new Filler(name, seed + ":" + subject.name() + ":" + version + ":" + name, subject, version);
        Message message = subject.create();
        if (!name.equals("default")) {
            filler.fill(message, schema, 0);
        }
        byte[] bytes = write(message, version);
        Message copy = subject.create();
        ByteBufferAccessor reader = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
        copy.read(reader, version);
        if (reader.remaining() != 0 || !copy.equals(message) || !Arrays.equals(write(copy, version), bytes)) {
            throw new IllegalStateException("does not read back: " + subject.name() + " " + version + " " + name);
        }
        ObjectNode line = JSON.objectNode();
        line.put("kafka", release);
        line.put("kind", subject.kind());
        line.put("apiKey", subject.apiKey());
        line.put("name", subject.name());
        line.put("version", version);
        if (subject.headerVersion(version) != null) {
            line.put("headerVersion", subject.headerVersion(version));
        }
        line.put("case", name);
        ObjectNode json = (ObjectNode) Class.forName(subject.type().getName() + "JsonConverter")
            .getMethod("write", subject.type(), short.class).invoke(null, message, version);
        neutral(json, message, schema);
        line.set("json", json);
        line.put("hex", HexFormat.of().formatHex(bytes));
        return line;
    }

    static byte[] write(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("size and write disagree");
        }
        return buffer.array();
    }

    /** Brings the converter's JSON into the documented form: exact int64, record bytes, unknown tagged fields. */
    static void neutral(ObjectNode json, Message message, Schema schema) throws Exception {
        Set<String> names = new HashSet<>();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (org.apache.kafka.common.protocol.types.Field field : fieldsOf(tagged).values()) {
                    neutralField(json, message, field, true, names);
                }
            } else {
                neutralField(json, message, bound.def, false, names);
            }
        }
        json.fieldNames().forEachRemaining(key -> {
            if (!names.contains(key)) {
                throw new IllegalStateException("JSON key without a field: " + key + " in " + message.getClass());
            }
        });
        if (!message.unknownTaggedFields().isEmpty()) {
            ArrayNode list = json.putArray("_unknownTaggedFields");
            for (RawTaggedField field : message.unknownTaggedFields()) {
                list.addObject().put("tag", field.tag()).put("data", base64(field.data()));
            }
        }
    }

    static void neutralField(ObjectNode json, Message message, org.apache.kafka.common.protocol.types.Field field,
        boolean tagged, Set<String> names) throws Exception {
        Field java = javaField(message.getClass(), field.name);
        String key = java.getName();
        Object value = java.get(message);
        names.add(key);
        if (BaseRecords.class.isAssignableFrom(java.getType())) {
            json.remove(key + "SizeInBytes");
            json.put(key, value == null ? null : base64(bytesOf((MemoryRecords) value)));
            return;
        }
        JsonNode node = json.get(key);
        if (node == null && tagged) {
            return; // equal to its default
        }
        if (node == null) {
            throw new IllegalStateException("field without a JSON key: " + key + " in " + message.getClass());
        }
        if (node.isNull()) {
            return;
        }
        json.set(key, neutralValue(node, value, field.type));
    }

    static JsonNode neutralValue(JsonNode node, Object value, Type type) throws Exception {
        if (type.isArray()) {
            Type element = type.arrayElementType().orElseThrow();
            ArrayNode list = JSON.arrayNode();
            int i = 0;
            for (Object item : (Collection<?>) value) {
                list.add(neutralValue(node.get(i++), item, element));
            }
            return list;
        }
        if (type instanceof Schema schema) {
            neutral((ObjectNode) node, (Message) value, schema);
            return node;
        }
        if (value instanceof Long number) {
            return new TextNode(number.toString());
        }
        if (value instanceof Double number && (number.isNaN() || number.isInfinite())) {
            return new TextNode(number.toString());
        }
        if (value instanceof byte[] bytes) {
            return new TextNode(base64(bytes));
        }
        if (value instanceof ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            return new TextNode(base64(bytes));
        }
        return node;
    }

    /** Fills the fields that a version has, by the case's rule, from a seeded source. */
    static final class Filler {
        final String rule;
        final Random random;
        final Subject subject;
        final short version;

        Filler(String rule, String seed, Subject subject, short version) {
            long hash = 0xcbf29ce484222325L;
            for (byte b : seed.getBytes(StandardCharsets.UTF_8)) {
                hash = (hash ^ (b & 255)) * 0x100000001b3L;
            }
            this.rule = rule;
            this.random = new Random(hash);
            this.subject = subject;
            this.version = version;
        }

        void fill(Message message, Schema schema, int depth) throws Exception {
            for (BoundField bound : schema.fields()) {
                if (!(bound.def.type instanceof TaggedFields tagged)) {
                    set(message, bound.def, depth);
                    continue;
                }
                for (org.apache.kafka.common.protocol.types.Field field : fieldsOf(tagged).values()) {
                    boolean wanted = switch (rule) {
                        case "random1", "nulls", "nullsInner", "boundaries" -> true;
                        case "random3", "empty", "long" -> false;
                        default -> random.nextBoolean();
                    };
                    if (wanted) {
                        set(message, field, depth);
                    }
                }
                if (rule.equals("unknownTags") && (depth == 0 || random.nextInt(3) > 0)) {
                    addUnknownTags(message);
                }
            }
        }

        void addUnknownTags(Message message) throws Exception {
            Set<Integer> known = knownTags(message.getClass());
            int[] wanted = {0, 1, 2, 3, 5, 9, 63, 100, 127, 128, 129, 16383, 16384, 1 << 21, 1 << 28, Integer.MAX_VALUE - 1};
            TreeSet<Integer> tags = new TreeSet<>();
            int count = 1 + random.nextInt(3);
            while (tags.size() < count) {
                int tag = wanted[random.nextInt(wanted.length)];
                if (!known.contains(tag)) {
                    tags.add(tag);
                }
            }
            for (int tag : tags) {
                byte[] data = new byte[random.nextInt(6) == 0 ? 128 + random.nextInt(80) : random.nextInt(12)];
                random.nextBytes(data);
                message.unknownTaggedFields().add(new RawTaggedField(tag, data));
            }
        }

        void set(Message message, org.apache.kafka.common.protocol.types.Field field, int depth) throws Exception {
            Field java = javaField(message.getClass(), field.name);
            setter(java).invoke(message, value(field.type, java.getType(), java.getGenericType(), depth));
        }

        boolean wantNull(Type type, Class<?> java) {
            if (!type.isNullable() || java.isPrimitive()) {
                return false;
            }
            boolean holder = type.isArray() || type instanceof Schema;
            return switch (rule) {
                case "nulls" -> true;
                case "nullsInner" -> !holder;
                case "empty", "long" -> false;
                default -> random.nextInt(5) == 0;
            };
        }

        Object value(Type type, Class<?> java, java.lang.reflect.Type generic, int depth) throws Exception {
            if (BaseRecords.class.isAssignableFrom(java)) {
                // The 3.9.1 schema calls every records field nullable; this one is not.
                return wantNull(type, java) && !subject.name().equals("FetchSnapshotResponse") ? null : records();
            }
            if (wantNull(type, java)) {
                return null;
            }
            if (type.isArray()) {
                return array(type, java, generic, depth);
            }
            if (type instanceof Schema schema) {
                Message inner = (Message) construct(java);
                fill(inner, schema, depth + 1);
                return inner;
            }
            if (java == ByteBuffer.class || java == byte[].class) {
                byte[] bytes = bytes();
                return java == byte[].class ? bytes : ByteBuffer.wrap(bytes);
            }
            if (java == boolean.class) {
                return rule.equals("empty") ? false : random.nextBoolean();
            }
            if (java == double.class) {
                return floating();
            }
            if (java == String.class) {
                return text(depth);
            }
            if (java == Uuid.class) {
                return uuid();
            }
            return integer(type, java);
        }

        @SuppressWarnings("unchecked")
        Collection<Object> array(Type type, Class<?> java, java.lang.reflect.Type generic, int depth)
            throws Exception {
            Type element = type.arrayElementType().orElseThrow();
            Class<?> item = elementClass(java, generic);
            int size = switch (rule) {
                case "empty" -> 0;
                case "nulls", "nullsInner" -> depth == 0 ? 2 : 1;
                case "random1" -> depth == 0 ? 2 + random.nextInt(2) : 1 + random.nextInt(2);
                case "long" -> depth == 0 ? 127 + random.nextInt(3) : random.nextInt(2);
                default -> random.nextInt(depth == 0 ? 4 : 3);
            };
            Collection<Object> list =
                java == List.class ? new ArrayList<>() : (Collection<Object>) construct(java);
            for (int i = 0; i < size; i++) {
                list.add(value(element, item, item, depth + 1));
            }
            if (list.size() != size) {
                throw new IllegalStateException("collection dropped elements");
            }
            return list;
        }

        Object integer(Type type, Class<?> java) {
            String name = ((Type.DocumentedType) type).typeName();
            int bits = name.endsWith("64") ? 64 : name.endsWith("32") ? 32 : name.endsWith("16") ? 16 : 8;
            boolean unsigned = name.startsWith("U");
            long low = unsigned ? 0 : bits == 64 ? Long.MIN_VALUE : -(1L << bits - 1);
            long high = unsigned ? (1L << bits) - 1 : bits == 64 ? Long.MAX_VALUE : (1L << bits - 1) - 1;
            long number;
            if (rule.equals("empty")) {
                number = 0;
            } else if (rule.startsWith("boundaries")) {
                long[] edges = {low, high, unsigned ? high / 2 : -1, 0, 1, high - 1, low + 1, high / 2 + 1,
                    bits == 64 ? 1L << 53 : high, bits == 64 ? (1L << 53) + 1 : low, bits == 64 ? -(1L << 53) - 1 : high};
                number = edges[random.nextInt(edges.length)];
            } else {
                int width = 1 + random.nextInt(unsigned ? bits : bits - 1);
                number = width == 64 ? random.nextLong() : random.nextLong() & (1L << width) - 1;
                if (!unsigned && random.nextInt(5) == 0) {
                    number = -1 - number;
                }
            }
            if (java == byte.class || java == Byte.class) {
                return (byte) number;
            }
            if (java == short.class || java == Short.class) {
                return (short) number;
            }
            if (java == int.class || java == Integer.class) {
                return (int) number;
            }
            if (java == long.class || java == Long.class) {
                return number;
            }
            throw new IllegalStateException(name + " held in " + java);
        }

        double floating() {
            if (rule.equals("empty")) {
                return 0;
            }
            double[] edges = {0, -0.0, 1, -1.5, Double.MAX_VALUE, -Double.MAX_VALUE, Double.MIN_VALUE, 0.1,
                Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1L << 53};
            return rule.startsWith("boundaries") ? edges[random.nextInt(edges.length)] : random.nextGaussian() * 1e6;
        }

        String text(int depth) {
            if (rule.equals("empty")) {
                return "";
            }
            if (rule.equals("long")) {
                int length = depth == 0 ? Short.MAX_VALUE : 126 + random.nextInt(3);
                return String.valueOf((char) ('a' + random.nextInt(26))).repeat(length);
            }
            String[] odd = {"", "\u0000", "\ud83d\ude80", "h\u00e9llo", "\u65e5\u672c\u8a9e", "\ufeffbom", "tab\tnl\n",
                "\ud83d\udc69\u200d\ud83d\udcbb", "\u00df\u0130\u01c5", "q\"uo\\te", "\udbff\udfff"};
            int pick = random.nextInt(rule.startsWith("boundaries") ? 3 : 5);
            if (pick == 0) {
                return odd[random.nextInt(odd.length)];
            }
            int length = random.nextInt(20) == 0 ? 120 + random.nextInt(20) : 1 + random.nextInt(12);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < length; i++) {
                text.append("abcdefghijklmnopqrstuvwxyz0123456789-_.".charAt(random.nextInt(39)));
            }
            return text.toString();
        }

        byte[] bytes() {
            int length = switch (rule) {
                case "empty" -> 0;
                case "long" -> 20000;
                default -> random.nextInt(8) == 0 ? 120 + random.nextInt(20) : random.nextInt(24);
            };
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            return bytes;
        }

        Uuid uuid() {
            if (rule.equals("empty")) {
                return Uuid.ZERO_UUID;
            }
            if (rule.startsWith("boundaries")) {
                long[] edges = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE};
                return new Uuid(edges[random.nextInt(5)], edges[random.nextInt(5)]);
            }
            return random.nextInt(6) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        }

        /** Record sets in the format that brokers of the message's version used. */
        MemoryRecords records() {
            if (rule.equals("empty")) {
                return MemoryRecords.EMPTY;
            }
            int current = subject.name().startsWith("Produce") ? 3 : 4;
            byte magic = (byte) (subject.apiKey() > 1 || version >= current ? 2 : version >= 2 ? 1 : 0);
            SimpleRecord[] list = new SimpleRecord[1 + random.nextInt(3)];
            for (int i = 0; i < list.length; i++) {
                byte[] value = new byte[random.nextInt(20)];
                random.nextBytes(value);
                byte[] key = random.nextInt(3) == 0 ? null : ("k" + random.nextInt(1000)).getBytes(StandardCharsets.UTF_8);
                long time = magic == 0 ? -1 : 1_600_000_000_000L + random.nextInt(1_000_000_000);
                list[i] = new SimpleRecord(time, key, value);
            }
            long offset = random.nextInt(1_000_000);
            return MemoryRecords.withRecords(magic, offset, random.nextInt(3) == 0
                ? Compression.gzip().build() : Compression.NONE, list);
        }
    }

    // ------------------------------------------------------------ reflection

    static boolean isBookkeeping(Field field) {
        return field.getName().startsWith("_") || field.getName().equals("next") || field.getName().equals("prev");
    }

    static Object construct(Class<?> type) {
        try {
            if (Collection.class.isAssignableFrom(type)) {
                return type.getConstructor(int.class).newInstance(4);
            }
            return type.getConstructor().newInstance();
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static Field javaField(Class<?> type, String schemaName) {
        String wanted = schemaName.replace("_", "");
        for (Field field : type.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && field.getName().equalsIgnoreCase(wanted)) {
                field.setAccessible(true);
                return field;
            }
        }
        throw new IllegalStateException("no Java field for " + schemaName + " in " + type);
    }

    static Method setter(Field field) {
        for (Method method : field.getDeclaringClass().getMethods()) {
            if (method.getName().equalsIgnoreCase("set" + field.getName()) && method.getParameterCount() == 1) {
                return method;
            }
        }
        throw new IllegalStateException("no setter for " + field);
    }

    static Class<?> elementClass(Class<?> java, java.lang.reflect.Type generic) {
        java.lang.reflect.Type holder = generic instanceof ParameterizedType ? generic : java.getGenericSuperclass();
        return (Class<?>) ((ParameterizedType) holder).getActualTypeArguments()[0];
    }

    static TaggedFields taggedSection(Schema schema) {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                return tagged;
            }
        }
        return null;
    }

    /** The older class has no public accessor for this map. */
    @SuppressWarnings("unchecked")
    static Map<Integer, org.apache.kafka.common.protocol.types.Field> fieldsOf(TaggedFields tagged) {
        try {
            Field fields = TaggedFields.class.getDeclaredField("fields");
            fields.setAccessible(true);
            return (Map<Integer, org.apache.kafka.common.protocol.types.Field>) fields.get(tagged);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Tags that any version of a class knows: its reader rejects them in the versions that lack them. */
    static Set<Integer> knownTags(Class<?> type) throws Exception {
        Set<Integer> known = new HashSet<>();
        for (Schema schema : (Schema[]) type.getField("SCHEMAS").get(null)) {
            TaggedFields tagged = schema == null ? null : taggedSection(schema);
            if (tagged != null) {
                known.addAll(fieldsOf(tagged).keySet());
            }
        }
        return known;
    }

    static byte[] bytesOf(MemoryRecords records) {
        byte[] bytes = new byte[records.sizeInBytes()];
        records.buffer().duplicate().get(bytes);
        return bytes;
    }

    static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private GoldenMessages() throws IOException {
        throw new IOException();
    }
}
