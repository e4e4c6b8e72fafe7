// Owns the reading of pushed metrics: OpenTelemetry's MetricsData in protobuf, written from the description of the format and not from our
// encoder. Every test thread.

export interface ReadPoint {
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** ms since the epoch; 0: it says none. */
  readonly startMs: number;
  readonly atMs: number;
}

export interface ReadMetric {
  readonly name: string;
  readonly kind: 'sum' | 'gauge';
  /** 0: it says none; 1 delta, 2 cumulative. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly points: readonly ReadPoint[];
}

export interface ReadMetrics {
  readonly resource: Readonly<Record<string, string>>;
  readonly metrics: readonly ReadMetric[];
}

/** A field: of wire type 0 or 1 a number, of wire type 2 its bytes. */
interface Field {
  readonly number: number;
  readonly value: bigint;
  readonly bytes: Buffer;
}

/** The fields of a message, in order. Throws for bytes that are none. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error(`a varint ends after ${at} of ${message.length} bytes`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === 0) {
      fields.push({ number, value: varint(), bytes: Buffer.alloc(0) });
    } else if (wireType === 1) {
      const bytes = message.subarray(at, at + 8);
      fields.push({ number, value: bytes.readBigUInt64LE(), bytes });
      at += 8;
    } else if (wireType === 2) {
      const length = Number(varint());
      if (at + length > message.length) throw new Error(`field ${number} of ${length} bytes leaves its message`);
      fields.push({ number, value: 0n, bytes: message.subarray(at, at + length) });
      at += length;
    } else throw new Error(`field ${number} has wire type ${wireType}`);
  }
  return fields;
}

const all = (fields: readonly Field[], number: number): Buffer[] =>
  fields.filter((field) => field.number === number).map(({ bytes }) => bytes);
const one = (fields: readonly Field[], number: number): Field | undefined =>
  fields.find((field) => field.number === number);

function attributesOf(pairs: readonly Buffer[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      const value = fieldsOf(one(fields, 2)!.bytes);
      return [one(fields, 1)!.bytes.toString(), one(value, 1)!.bytes.toString()];
    }),
  );
}

function pointOf(bytes: Buffer): ReadPoint {
  const fields = fieldsOf(bytes);
  const ms = (number: number): number => Number((one(fields, number)?.value ?? 0n) / 1_000_000n);
  return {
    value: one(fields, 4)!.bytes.readDoubleLE(),
    attributes: attributesOf(all(fields, 7)),
    startMs: ms(2),
    atMs: ms(3),
  };
}

function metricOf(bytes: Buffer): ReadMetric {
  const fields = fieldsOf(bytes);
  const sum = one(fields, 7);
  const data = fieldsOf((sum ?? one(fields, 5)!).bytes);
  return {
    name: one(fields, 1)!.bytes.toString(),
    kind: sum === undefined ? 'gauge' : 'sum',
    temporality: Number(one(data, 2)?.value ?? 0n),
    isMonotonic: one(data, 3)?.value === 1n,
    points: all(data, 1).map(pointOf),
  };
}

/** Reads what has one resource and one scope. */
export function readMetrics(bytes: Uint8Array): ReadMetrics {
  const ofResource = fieldsOf(one(fieldsOf(Buffer.from(bytes)), 1)!.bytes);
  const scope = fieldsOf(one(ofResource, 2)!.bytes);
  const resource = attributesOf(all(fieldsOf(one(ofResource, 1)!.bytes), 1));
  return { resource, metrics: all(scope, 2).map(metricOf) };
}
