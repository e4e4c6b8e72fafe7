// Owns the shapes of administration calls about the cluster as a whole. Types only. Every thread.

export interface DescribedBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isFenced: boolean;
}

export interface DescribedCluster {
  readonly clusterId: string | null;
  /** -1 where there is none, or none that is known. */
  readonly controllerId: number;
  readonly brokers: readonly DescribedBroker[];
}
