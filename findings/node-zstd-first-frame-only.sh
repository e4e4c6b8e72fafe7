#!/usr/bin/env bash
# Node 22 and 24 read only the first frame of Zstandard data, and say nothing of what is left out. Node 26 reads all frames.
#
# Zstandard data is a row of frames (RFC 8878, section 3), and what a row decompresses to is what its frames decompress to, one after the
# other. Kafka's Java code reads a compressed record batch in that way. `zlib.zstdDecompressSync` and `zlib.createZstdDecompress` of Node 22 and
# 24 stop at the end of the first frame without an error. The gunzip of the same Node reads all members of a gzip file.
#
# Seen with two frames, "first," and "second":
#   Java, kafka-clients 4.3.1      first,second
#   Node 22.23.3, zstdDecompress   first,
#   Node 24.21.0, zstdDecompress   first,
#   Node 26.10.0, zstdDecompress   first,second
#   gunzip of each                 first,second
#
# So a Node client that hands the records of a batch to this function loses records of a producer whose library writes a frame for each
# block, or fails at a place that is far from the cause. It has to go through the frames itself.
# Needs Java 17 and Maven. Exits with 1 when one of them behaves otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>findings</groupId><artifactId>zstd</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs
for version in 22.23.3 24.21.0 26.10.0; do
  mkdir "$version"
  (cd "$version" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund "node@$version")
done

cat >write.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';

const parts = ['first,', 'second'];
writeFileSync('two.zst', Buffer.concat(parts.map((part) => zstdCompressSync(part))));
writeFileSync('two.gz', Buffer.concat(parts.map((part) => gzipSync(part))));
JS
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createZstdDecompress, gunzipSync, zstdDecompressSync } from 'node:zlib';

const bytes = readFileSync('two.zst');
let streamed = '';
const stream = createZstdDecompress().on('data', (chunk) => (streamed += chunk));
stream.on('end', () => console.log([zstdDecompressSync(bytes), streamed, gunzipSync(readFileSync('two.gz'))].join(' ')));
stream.end(bytes);
JS
cat >Read.java <<'JAVA'
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.utils.BufferSupplier;

public class Read {
    public static void main(String[] args) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(Path.of("two.zst")));
        var in = Compression.zstd().build().wrapForInput(bytes, (byte) 2, BufferSupplier.NO_CACHING);
        System.out.println(new String(in.readAllBytes()));
    }
}
JAVA
22.23.3/node_modules/.bin/node write.mjs
status=0
expect() {
  echo "$1: $2"
  [ "$2" = "$3" ] || { echo "  expected: $3"; status=1; }
}
expect 'Java' "$(java -cp 'libs/*' Read.java 2>/dev/null)" 'first,second'
expect 'Node 22.23.3' "$(22.23.3/node_modules/.bin/node read.mjs)" 'first, first, first,second'
expect 'Node 24.21.0' "$(24.21.0/node_modules/.bin/node read.mjs)" 'first, first, first,second'
expect 'Node 26.10.0' "$(26.10.0/node_modules/.bin/node read.mjs)" 'first,second first,second first,second'
exit "$status"
