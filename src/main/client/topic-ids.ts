// Owns the filling in of topic ids: brokers of Kafka 4 know topics in some requests by id only, and an application that names
// one has no reason to know that. Application thread. Must not change what the application passed.

import { Fetch, OffsetCommit, OffsetFetch, Produce } from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';

type Row = Readonly<Record<string, unknown>>;
type IdOf = (name: string) => string | null;

/** Where requests name topics: lists of topics by the name of their name, or of what holds such lists. */
interface Place {
  readonly list: string;
  readonly name?: string;
  readonly inner?: readonly Place[];
}

const placesByApi = new Map<number, readonly Place[]>([
  [Produce.key, [{ list: 'topicData', name: 'name' }]],
  [
    Fetch.key,
    [
      { list: 'topics', name: 'topic' },
      { list: 'forgottenTopicsData', name: 'topic' },
    ],
  ],
  [OffsetCommit.key, [{ list: 'topics', name: 'name' }]],
  [OffsetFetch.key, [{ list: 'groups', inner: [{ list: 'topics', name: 'name' }] }]],
]);

/**
 * The request with the id of each topic that has only a name, as far as ids are known; versions that know topics by name ignore
 * it. The same object when there is nothing to fill in.
 */
export function withTopicIds<Request>(apiKey: number, request: Request, idOf: IdOf): Request {
  const places = placesByApi.get(apiKey);
  if (places === undefined || typeof request !== 'object' || request === null) return request;
  return filledIn(request as Row, places, idOf) as Request;
}

function filledIn(row: Row, places: readonly Place[], idOf: IdOf): Row {
  let filled = row;
  for (const { list, name, inner } of places) {
    const rows = row[list];
    if (!Array.isArray(rows)) continue;
    let changed: unknown[] | null = null;
    for (const [i, before] of (rows as unknown[]).entries()) {
      if (typeof before !== 'object' || before === null) continue;
      const after = name === undefined ? filledIn(before as Row, inner!, idOf) : withId(before as Row, name, idOf);
      if (after === before) continue;
      changed ??= [...(rows as unknown[])];
      changed[i] = after;
    }
    if (changed !== null) filled = { ...filled, [list]: changed };
  }
  return filled;
}

function withId(topic: Row, nameKey: string, idOf: IdOf): Row {
  const { [nameKey]: name, topicId } = topic;
  if (typeof name !== 'string' || name === '' || (topicId !== undefined && topicId !== zeroUuid)) return topic;
  const id = idOf(name);
  return id === null ? topic : { ...topic, topicId: id };
}
