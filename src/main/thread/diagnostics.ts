// Owns the diagnostics channels on which a client tells what goes on: each request, and each other record of its log whatever `logLevel`
// is. Application thread. While nobody listens, a record that is not logged is not even made.

import { channel } from 'node:diagnostics_channel';
import { eventChannelName, requestChannelName } from '../../common/channel-names.ts';
import type { LogFields, LogLevel, RequestFacts } from '../../common/logger.ts';

/** One request, with its answer or its error. */
export interface RequestEvent extends RequestFacts {
  readonly clientId: string;
  /** int32 broker id, or a negative id of a bootstrap server or a lane. */
  readonly nodeId: number;
  /** Null: it was answered, or with acks 0 handed to the socket. */
  readonly error: Error | null;
}

/** What a log record has, whether it is logged or not. */
export interface ClientEvent extends LogFields {
  readonly level: LogLevel;
  readonly message: string;
}

const requests = channel(requestChannelName);
const events = channel(eventChannelName);

/** Whether anybody listens in this thread. */
export function isObserved(): boolean {
  return requests.hasSubscribers || events.hasSubscribers;
}

/** Tells the listeners of either channel. */
export function publishRecord(level: LogLevel, fields: LogFields, message: string): void {
  const { request, nodeId, err, clientId } = fields;
  if (request === undefined) {
    if (events.hasSubscribers) events.publish({ ...fields, level, message } satisfies ClientEvent);
  } else if (requests.hasSubscribers) {
    requests.publish({ ...request, clientId, nodeId: nodeId ?? 0, error: err ?? null } satisfies RequestEvent);
  }
}
