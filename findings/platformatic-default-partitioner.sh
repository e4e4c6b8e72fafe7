#!/usr/bin/env bash
# @platformatic/kafka 2.12.1: its default partitioner sends about half of all keys to another partition than Java's producer.
#
# Both hash the key with murmur2. Java clears the sign bit and then takes the remainder: (hash & 0x7fffffff) % partitions.
# The package's `defaultPartitioner` reads the hash as an unsigned number instead: (hash >>> 0) % partitions. The two agree for
# every key only if the number of partitions is a power of two; else they differ for keys whose hash is negative.
# Its `compatibilityPartitioner` does as Java does.
#
# Seen with 3 partitions, for keys whose partition Kafka's own Java class says (kafka-clients 4.3.1, Utils.murmur2):
#   key              Java  default  compatibility
#   foobar           0     2        0
#   key              1     0        1
#   user-1           2     2        2
#   order-00000001   0     2        0
#
# So a topic that is produced to by this package and by Java clients has records of one key in two partitions, out of order.
# Exits with 1 when the package behaves otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @platformatic/kafka@2.12.1
cat >show.mjs <<'JS'
import { compatibilityPartitioner, defaultPartitioner } from '@platformatic/kafka';

const partitions = 3;
const java = { foobar: 0, key: 1, 'user-1': 2, 'order-00000001': 0 };
const seen = { foobar: 2, key: 0, 'user-1': 2, 'order-00000001': 2 };
let isAsDescribed = true;
for (const [key, javaPartition] of Object.entries(java)) {
  const bytes = Buffer.from(key);
  const byDefault = defaultPartitioner({}, bytes) % partitions;
  const compatible = compatibilityPartitioner({}, bytes) % partitions;
  console.log(`${key}: Java ${javaPartition}, default ${byDefault}, compatibility ${compatible}`);
  if (byDefault !== seen[key] || compatible !== javaPartition) isAsDescribed = false;
}
process.exitCode = isAsDescribed ? 0 : 1;
JS
node show.mjs
