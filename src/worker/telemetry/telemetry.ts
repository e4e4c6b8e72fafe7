// Owns what all pushing producers and consumers of a network thread have in common. It is loaded when a broker is found that takes metrics.
// Network thread.

import type { Node } from '../client/node.ts';
import type { RoleHost } from '../client/role.ts';
import type { Log } from '../report/log.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import { ConnectionNumbers } from './connection-numbers.ts';
import type { PushOpening } from './metrics-push.ts';
import { Reporter } from './reporter.ts';

export interface TelemetryParts {
  readonly host: RoleHost;
  readonly metrics: Metrics;
  readonly nodes: () => Iterable<Node>;
  /** Rows of the node table. */
  readonly nodeCapacity: number;
  readonly log: Log;
  /** ms. */
  readonly requestTimeoutMs: number;
}

export class Telemetry {
  readonly #parts: TelemetryParts;
  readonly #connections: ConnectionNumbers;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.#connections = new ConnectionNumbers(parts.metrics, parts.nodes, parts.nodeCapacity);
  }

  open(opening: PushOpening, now: number): Reporter {
    const { host, log, requestTimeoutMs } = this.#parts;
    return new Reporter({ ...opening, host, connections: this.#connections, log, requestTimeoutMs }, now);
  }
}
