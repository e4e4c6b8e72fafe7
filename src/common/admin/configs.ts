// Owns the shapes of administration calls about configurations. Types only. Every thread.

/** What has a configuration. Source: KIP-133, KIP-412, KIP-714, KIP-848 */
export type ConfigResourceType = 'topic' | 'broker' | 'brokerLogger' | 'clientMetrics' | 'group';

export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** Of a broker: its id as text, or '' for what holds for all of them. */
  readonly name: string;
}

export interface ConfigEntry {
  readonly name: string;
  /** Null for a sensitive value, which brokers do not tell. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isDefault: boolean;
  readonly isSensitive: boolean;
  /** Kafka's number of where the value comes from; -1 where brokers do not say. */
  readonly source: number;
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[];
  readonly documentation: string | null;
}

/** One change of one key. `append` and `subtract` are for lists. Source: KIP-339 */
export interface ConfigChange {
  readonly name: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  /** Not for `delete`. */
  readonly value?: string;
}

export interface ConfigResourceChanges {
  readonly resource: ConfigResource;
  readonly changes: readonly ConfigChange[];
}
