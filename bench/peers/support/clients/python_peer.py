# Owns how kafka-python is measured: the same work as peer-process.ts, in this language. Its own process; the answer is a line of JSON.

import json
import sys
import time

import kafka

job = dict(argument.split("=", 1) for argument in sys.argv[1:])
warm_up_s = float(job["warmUpMs"]) / 1000
measure_s = float(job["measureMs"]) / 1000


class Meter:
    def start(self):
        self.process = time.process_time()
        self.thread = time.thread_time()
        self.at = time.monotonic()

    @property
    def elapsed(self):
        return time.monotonic() - self.at

    def answer(self, records, settings, more):
        wall = self.elapsed
        main = time.thread_time() - self.thread
        cpu = time.process_time() - self.process
        figures = {
            "perSecond": records / wall,
            "mainMicroseconds": main * 1e6 / records,
            "cpuMicroseconds": cpu * 1e6 / records,
            "applicationShare": max(0, 1 - main / wall),
        }
        answer = {
            "version": kafka.__version__,
            "settings": settings,
            "processCpuMs": time.process_time() * 1000,
            "threads": {"main": main / wall, "others": (cpu - main) / wall},
            "figures": {**figures, **more},
        }
        print(json.dumps(answer), flush=True)


def values_of(count):
    """The values of peer.ts."""
    return [bytes(32 + (at * 31 + i * 17 + ((at * i) >> 3)) % 90 for at in range(count)) for i in range(256)]


def write():
    compression = None if job["compression"] == "none" else job["compression"]
    acks = "all" if job["acks"] == "-1" else int(job["acks"])
    producer = kafka.KafkaProducer(bootstrap_servers=job["bootstrapServer"], acks=acks, compression_type=compression)
    values = values_of(int(job["valueBytes"]))

    def give(seconds):
        end = time.monotonic() + seconds
        records = 0
        futures = []
        while time.monotonic() < end:
            futures.extend(producer.send(job["topic"], value) for value in values)
            records += len(values)
        producer.flush()
        for future in futures:
            future.get(timeout=60)
        return records

    give(warm_up_s)
    meter = Meter()
    meter.start()
    meter.answer(give(measure_s), "acks %s, else all defaults; send" % acks, {})
    producer.close()


def read():
    all_records = int(job["allRecords"])
    created = time.monotonic()
    consumer = kafka.KafkaConsumer(
        job["topic"],
        bootstrap_servers=job["bootstrapServer"],
        group_id=job["groupId"],
        auto_offset_reset="earliest",
    )
    meter = None
    first = None
    seen = counted = total = 0
    while True:
        batches = consumer.poll(timeout_ms=100)
        count = 0
        for records in batches.values():
            for record in records:
                value = record.value
                total += record.offset + record.timestamp + value[0] + value[-1]
                if record.key:
                    total += record.key[0]
            count += len(records)
        if count == 0:
            continue
        first = first or time.monotonic()
        seen += count
        if meter is None:
            if time.monotonic() - first >= warm_up_s or seen >= all_records / 4:
                meter = Meter()
                meter.start()
            continue
        counted += count
        if meter.elapsed >= measure_s or seen >= all_records * 0.98:
            break
    more = {"duplicates": 0, "firstRecordMs": (first - created) * 1000}
    meter.answer(counted, "all defaults, auto_offset_reset earliest; poll", more)
    consumer.close()


if job["work"] == "write":
    write()
else:
    read()
