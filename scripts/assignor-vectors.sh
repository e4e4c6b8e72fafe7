#!/bin/sh
# Makes test/fixtures/assignors.jsonl.gz, sticky-racks.jsonl.gz and range-racks.jsonl.gz with Kafka's own classes. Needs a JDK and Maven; arguments: Kafka version, seed, count.
set -eu
version=${1:-4.3.0} seed=${2:-20260729} count=${3:-1500}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for artifact in "org.apache.kafka:kafka-clients:$version" org.slf4j:slf4j-api:1.7.36; do
  mvn -q dependency:copy -Dartifact="$artifact" -DoutputDirectory="$work/jars"
done
javac -cp "$work/jars/*" -d "$work/classes" "$root/test/fixtures/make/AssignorVectors.java"
java -cp "$work/classes:$work/jars/*" AssignorVectors "$seed" "$count" 2>/dev/null | gzip -9 -n >"$root/test/fixtures/assignors.jsonl.gz"
java -cp "$work/classes:$work/jars/*" AssignorVectors "$seed" 800 racks 2>/dev/null | gzip -9 -n >"$root/test/fixtures/sticky-racks.jsonl.gz"

javac -cp "$work/jars/*" -d "$work/classes" "$root/test/fixtures/make/RangeRackVectors.java"
java -cp "$work/classes:$work/jars/*" RangeRackVectors "$seed" 600 2>/dev/null | gzip -9 -n >"$root/test/fixtures/range-racks.jsonl.gz"
