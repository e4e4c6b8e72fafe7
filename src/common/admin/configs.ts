// Owns the types of administration calls about configurations. Types only. Every thread.

/** The kinds of resources that have a configuration. Source: KIP-133, KIP-412, KIP-714, KIP-848 */
export type ConfigResourceType = 'topic' | 'broker' | 'brokerLogger' | 'clientMetrics' | 'group';

export interface ConfigResource {
  /** A number if this client does not know the type. */
  readonly type: ConfigResourceType | number;
  /** For a broker: its id as text, or '' for the default of all brokers. */
  readonly name: string;
}

export interface ConfigEntry {
  readonly name: string;
  /** Null for a sensitive value: brokers do not send it. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isDefault: boolean;
  readonly isSensitive: boolean;
  /** Kafka's number for the source of the value. -1 if brokers do not send it. */
  readonly source: number;
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[];
  readonly documentation: string | null;
}

/** One change of one configuration. `append` and `subtract` are for lists. Source: KIP-339 */
export interface ConfigChange {
  readonly name: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  /** Not used by `delete`. */
  readonly value?: string;
}

export interface ConfigResourceChanges {
  readonly resource: ConfigResource;
  readonly changes: readonly ConfigChange[];
}
