// The shape of a schema table: what one API's messages look like at every version, with documentation. Types only,
// for the tables, the generator and their tests; nothing of it reaches the package, no thread runs it. No behaviour
// here: parsing of ranges and defaults belongs to whoever reads the tables.

/**
 * One field of a message or struct, in the order of the wire: name, type, versions that carry it, meaning.
 *
 * - `name` is camelCase, as applications see it.
 * - `type` is `bool`, `int8`, `int16`, `uint16`, `int32`, `uint32`, `int64`, `float64`, `uuid`, `string`, `bytes`,
 *   `records` or the name of a struct (then `extras.fields` describes it), each with `[]` before it for an array.
 * - `versions` is a range: `3`, `0-12` or `4+`. A field is present where its own range and that of every struct around
 *   it meet, so a struct that several places share may give wider ranges than one of them uses.
 */
export type FieldRow = readonly [name: string, type: string, versions: string, doc: string, extras?: FieldExtras];

export interface FieldExtras {
  /** Versions in which the value may be null; within the field's own range. Default: never. */
  nullable?: string;
  /**
   * The value of an absent field, as text: a decimal number, `true` or `false`, `null`, or the text itself. Without it:
   * 0, false, empty, the zero uuid, null records, or a struct of defaults.
   */
  default?: string;
  /** Number of a tagged field (KIP-482); goes with `tagged`. */
  tag?: number;
  /** Versions in which the field is tagged: written after the others, and only when it differs from its default. */
  tagged?: string;
  /** A set value is dropped silently in versions without the field. Otherwise such a request is refused. */
  ignorable?: true;
  /** The field keeps the fixed-width encoding even in flexible versions. */
  flexible?: 'none';
  /** Part of the key by which Kafka indexes the array around it. Nothing of it shows on the wire. */
  mapKey?: true;
  /** Of records: the bytes may begin and end in the middle of a batch, so that they are kept as they are and never read. */
  unaligned?: true;
  /** What the value identifies: `topicName`, `brokerId`, `groupId`, `transactionalId` or `producerId`. */
  entity?: string;
  /** The fields of a struct type. */
  fields?: readonly FieldRow[];
}

export interface MessageTable {
  /** Everything the client speaks, versions that current brokers no longer accept included, such as `0-18`. */
  readonly versions: string;
  readonly fields: readonly FieldRow[];
}

export interface ApiTable {
  readonly key: number;
  /** Name without Request or Response, such as `Fetch`. */
  readonly name: string;
  readonly doc: string;
  /** Versions with compact lengths and tagged fields (KIP-482), such as `12+`, or `none`; for both messages. */
  readonly flexible: string;
  /** Who answers: `broker`, `controller`, or `zkBroker` (brokers that kept their metadata in ZooKeeper, before 4.0). */
  readonly listeners?: readonly string[];
  /** Versions that brokers from release 4.0 on no longer accept; all of them for an API that is gone. */
  readonly legacy?: string;
  /** The highest version is a preview that may still change: brokers do not offer it unless told to. */
  readonly latestUnstable?: true;
  readonly request: MessageTable;
  readonly response: MessageTable;
}

export interface DataTable {
  readonly name: string;
  /** `header`: in front of every request or response. `data`: inside the bytes of another message, or of a record. */
  readonly kind: 'header' | 'data';
  readonly doc: string;
  readonly versions: string;
  /** As in `ApiTable`. */
  readonly flexible: string;
  readonly fields: readonly FieldRow[];
}
