// Owns the types of administration calls about the cluster as a whole. Types only. Every thread.

export interface DescribedBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isFenced: boolean;
}

export interface DescribedCluster {
  readonly clusterId: string | null;
  /** -1 if there is none or if it is not known. */
  readonly controllerId: number;
  readonly brokers: readonly DescribedBroker[];
}
