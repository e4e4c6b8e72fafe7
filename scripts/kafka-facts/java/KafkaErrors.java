import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/**
 * Writes every error code with its name and with what the ancestors of its exception class say: whether the request may be
 * tried again, and whether metadata may be out of date. Run by scripts/kafka-facts/errors.ts.
 *
 * <p>Usage: {@code KafkaErrors OUT.json}.
 */
public final class KafkaErrors {
    public static void main(String[] args) throws Exception {
        String rows = Arrays.stream(Errors.values())
            .sorted(Comparator.comparingInt(Errors::code))
            .map(KafkaErrors::row)
            .collect(Collectors.joining(",\n"));
        Files.writeString(Path.of(args[0]), "[\n" + rows + "\n]\n", StandardCharsets.UTF_8);
    }

    private static String row(Errors error) {
        ApiException exception = error.exception();
        return String.format("  {\"code\": %d, \"name\": \"%s\", \"retriable\": %b, \"invalidMetadata\": %b}",
            error.code(), error.name(), exception instanceof RetriableException, exception instanceof InvalidMetadataException);
    }

    private KafkaErrors() {
        throw new IllegalStateException();
    }
}
