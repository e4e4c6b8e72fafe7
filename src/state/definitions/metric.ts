// Owns what describes a metric, and the words that definitions are made of. Every thread. Must not know what is measured.

import type { MetricsRow } from '../shared-metrics.ts';

/** Metrics by group and name. */
export type MetricGroups = Record<string, Record<string, number>>;

/** Values by name. */
export type MetricValues = Readonly<Record<string, number>>;

/** Describes a metric. A `total` only grows. The others rise and fall. */
export interface MetricDefinition {
  readonly name: string;
  /** Whether it is recorded for each node, API, topic or partition, for the whole client, producer or consumer, or for both. */
  readonly scope: 'client' | 'node' | 'api' | 'producer' | 'consumer' | 'topic' | 'partition' | 'both';
  readonly kind: 'total' | 'gauge';
  /** `events` is a number of what the name says. `ratio` is 0 to 1. Rates are per second. */
  readonly unit: 'events' | 'events/s' | 'bytes' | 'bytes/s' | 's' | 'ms' | 'ns' | 'ratio';
  readonly doc: string;
}

export interface Metric<Context> extends MetricDefinition {
  readonly read: (context: Context) => number;
}

type Scope = MetricDefinition['scope'];
type Unit = MetricDefinition['unit'];

/** The words for the slots of one kind of memory. */
export class Definer<Name extends string, Context extends { readonly row: MetricsRow<Name> }> {
  gauge(scope: Scope, name: string, unit: Unit, doc: string, read: Metric<Context>['read']): Metric<Context> {
    return { name, scope, kind: 'gauge', unit, doc, read };
  }

  total(scope: Scope, name: string, slot: Name, doc: string, unit: Unit = 'events'): Metric<Context> {
    return { name: `${name}-total`, scope, kind: 'total', unit, doc, read: ({ row }) => row.total(slot) };
  }

  /** A rate and its total. */
  counted(scope: Scope, name: string, slot: Name, doc: string, unit: 'events' | 'bytes' = 'events'): Metric<Context>[] {
    return [
      this.gauge(scope, `${name}-rate`, `${unit}/s`, `${doc}, per second`, ({ row }) => row.perSecond(slot)),
      this.total(scope, name, slot, `${doc}, since the start`, unit),
    ];
  }

  average(scope: Scope, name: string, unit: Unit, of: readonly [Name, Name], doc: string): Metric<Context> {
    return this.gauge(scope, `${name}-avg`, unit, `Average ${doc}`, ({ row }) => row.average(...of));
  }

  greatest(scope: Scope, name: string, unit: Unit, slot: Name, doc: string): Metric<Context> {
    return this.gauge(scope, `${name}-max`, unit, `Greatest ${doc}`, ({ row }) => row.max(slot));
  }

  now(scope: Scope, name: string, slot: Name, doc: string, unit: Unit = 'events'): Metric<Context> {
    return this.gauge(scope, name, unit, doc, ({ row }) => row.total(slot));
  }
}

/** The public part of a metric's definition: everything except how it is read. */
export function definitionsOf<Context>(metrics: readonly Metric<Context>[]): readonly MetricDefinition[] {
  return metrics.map(({ read: _, ...definition }) => Object.freeze(definition));
}

export function valuesOf<Context>(list: readonly Metric<Context>[], context: Context): MetricValues {
  return Object.fromEntries(list.map(({ name, read }) => [name, read(context)]));
}
