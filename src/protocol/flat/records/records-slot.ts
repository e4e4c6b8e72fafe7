// Owns the layout of a `records` field in flat memory: the slot in the struct, the row of a record, the row of a batch,
// the stream of records to produce. Constants only, for both threads. Must not read or write anything.
//
// The slot, RECORDS_WORDS words in the struct that has the field. Word 0 is the form; the meaning of the other words depends on it.
// Offsets of bytes and words are relative to the message.
//
//      | word   | ROWS (decoded)                       | STREAM (to be encoded)      | RAW (either way)        |
//      |--------|--------------------------------------|-----------------------------|-------------------------|
//      | 1, 2   | block of record bytes: offset, length| stream: offset, length      | bytes: offset, length   |
//      | 3, 4   | record rows: word, count             | -, record count             | -                       |
//      | 5, 6   | batch rows: word, count              | codec, level                | -                       |
//      | 7      | error code, 0 for none               | attributes                  | -                       |
//      | 8, 9   | error text: offset, length           | producer epoch, base seq.   | -                       |
//      | 10, 11 | next offset: low, high               | producer id: low, high      | next offset: low, high  |
//      | 12, 13 | offset of the faulty batch: low, high| base offset: low, high      | -                       |
//      | 14     | bytes of the tail that was dropped   | partition leader epoch      | the same                |
//      | 15-19  | reserved, 0                          | reserved, 0                 | reserved, 0             |
//
// LENT is RAW, but its bytes are not in the message: their offset is relative to `FlatMessage.lent`.
// NULL has nothing but its form, which is 0: a zeroed slot is a null field.

/** Words of the slot. */
export const RECORDS_WORDS = 20;

export const FORM_NULL = 0;
export const FORM_RAW = 1;
export const FORM_STREAM = 2;
export const FORM_ROWS = 3;
export const FORM_LENT = 4;

export const FORM_WORD = 0;
export const DATA_OFFSET_WORD = 1;
export const DATA_LENGTH_WORD = 2;
export const ROWS_WORD = 3;
export const RECORD_COUNT_WORD = 4;
export const BATCHES_WORD = 5;
export const BATCH_COUNT_WORD = 6;
export const ERROR_CODE_WORD = 7;
export const ERROR_TEXT_WORD = 8;
export const NEXT_OFFSET_WORD = 10;
export const FAULTY_OFFSET_WORD = 12;
export const TAIL_BYTES_WORD = 14;

export const CODEC_WORD = 5;
export const LEVEL_WORD = 6;
export const ATTRIBUTES_WORD = 7;
export const PRODUCER_EPOCH_WORD = 8;
export const BASE_SEQUENCE_WORD = 9;
export const PRODUCER_ID_WORD = 10;
export const STREAM_BASE_OFFSET_WORD = 12;
export const PARTITION_LEADER_EPOCH_WORD = 14;

/** This level means the codec's default. No codec has it as a level of its own. */
export const LEVEL_DEFAULT = -(2 ** 31);

/** Values of `ERROR_CODE_WORD`. */
export const RECORDS_ERROR_NONE = 0;
export const RECORDS_ERROR_CORRUPT = 1;
export const RECORDS_ERROR_UNSUPPORTED_CODEC = 2;

// One record of the ROWS form:
//
//      0      1       2      3       4      5       6      7       8        9
//      | offset      | timestamp   | key         | value       | headers        |
//      | low  | high | low  | high | at  | length | at  | length | at   | count  |
//
// Lengths are -1 for null. Headers keep their wire form (varint key length, UTF-8 key, varint value length, value), whose
// lengths were checked when the row was made.

export const RECORD_ROW_WORDS = 10;
export const ROW_OFFSET_WORD = 0;
export const ROW_TIMESTAMP_WORD = 2;
export const ROW_KEY_WORD = 4;
export const ROW_KEY_LENGTH_WORD = 5;
export const ROW_VALUE_WORD = 6;
export const ROW_VALUE_LENGTH_WORD = 7;
export const ROW_HEADERS_WORD = 8;
export const ROW_HEADER_COUNT_WORD = 9;

// One batch of the ROWS form; in the formats v0 and v1 each outer message is one:
//
//       0          first row          8, 9    producer id               16    bytes on the wire
//       1          row count          10      producer epoch            17    kind of control record, -1 if none
//       2, 3       base offset        11      base sequence             18    records in it, control records included
//       4, 5       last offset        12, 13  maximum timestamp         19    partition leader epoch
//       6          attributes         14, 15  base timestamp
//       7          magic
//
// Attributes are those of the wire. A control batch has no rows: the application never sees its records.

export const BATCH_ROW_WORDS = 20;
export const BATCH_FIRST_ROW_WORD = 0;
export const BATCH_ROW_COUNT_WORD = 1;
export const BATCH_BASE_OFFSET_WORD = 2;
export const BATCH_LAST_OFFSET_WORD = 4;
export const BATCH_ATTRIBUTES_WORD = 6;
export const BATCH_MAGIC_WORD = 7;
export const BATCH_PRODUCER_ID_WORD = 8;
export const BATCH_PRODUCER_EPOCH_WORD = 10;
export const BATCH_BASE_SEQUENCE_WORD = 11;
export const BATCH_MAX_TIMESTAMP_WORD = 12;
export const BATCH_BASE_TIMESTAMP_WORD = 14;
export const BATCH_SIZE_WORD = 16;
export const BATCH_CONTROL_TYPE_WORD = 17;
export const BATCH_RECORD_COUNT_WORD = 18;
export const BATCH_LEADER_EPOCH_WORD = 19;

/** Bits of a batch's attributes on the wire. */
export const ATTRIBUTE_CODEC_MASK = 7;
export const ATTRIBUTE_LOG_APPEND_TIME = 8;
export const ATTRIBUTE_TRANSACTIONAL = 16;
export const ATTRIBUTE_CONTROL = 32;
export const ATTRIBUTE_DELETE_HORIZON = 64;

/** Codecs by their number on the wire. */
export const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CompressionType = (typeof compressionTypes)[number];

// One record of the STREAM form, on a multiple of 4 bytes, of any length:
//
//      0      1       2          3            4            5
//      | timestamp   | key      | value      | headers:   | key bytes | value bytes | headers | pad to 4
//      | low  | high | length   | length     | count      |
//
// and each of its headers, at any alignment: key length and value length as little-endian int32, then both. Lengths are
// -1 for null.

export const STREAM_HEAD_BYTES = 20;
export const STREAM_HEADER_HEAD_BYTES = 8;
