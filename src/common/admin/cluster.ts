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
  /** The operations that this user may do on the cluster, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
}
