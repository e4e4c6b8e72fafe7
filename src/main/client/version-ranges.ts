// Owns the form in which applications get the versions that a broker supports. Application thread.

import type { ApiVersionRow } from '../../common/control.ts';
import type { ApiVersionRange } from './client-options.ts';

export function rangesOf(rows: readonly ApiVersionRow[]): Map<number, ApiVersionRange> {
  return new Map(rows.map(([apiKey, min, max]) => [apiKey, { min, max }]));
}
