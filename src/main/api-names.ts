// Owns the names of Kafka's APIs by their keys. Application thread.

import { allApis } from '../protocol/flat/generated/apis.ts';

export const apiNames: ReadonlyMap<number, string> = new Map(allApis.map(({ key, name }) => [key, name]));
