// Owns the check that calls which crossed a link as JSON have the shape that their types promise: they come from shared memory that a
// thread gone wrong can write. Every thread. Must not check what a call means: the code that runs the call does.

import type { ConsumerCall } from './consumer-calls.ts';
import { isTopicName } from './topic-names.ts';
import type { TransactionOffsets } from './transaction-offsets.ts';

type Row = Readonly<Record<string, unknown>>;

export function isConsumerCall(value: unknown): value is ConsumerCall {
  if (!isRow(value)) return false;
  switch (value.op) {
    case 'subscribe':
      return isSubscription(value.subscription);
    case 'hello':
    case 'unsubscribe':
      return true;
    case 'assign':
      return isListOf(value.partitions, (row) => isPartition(row) && (row.start === null || isStart(row.start)));
    case 'seek':
      return isPartition(value) && isStart(value.start);
    case 'pause':
    case 'resume':
      return value.partitions === null || isListOf(value.partitions, isPartition);
    case 'commit':
      return isTime(value.timeoutMs) && (value.offsets === null || isListOf(value.offsets, isOffset));
    case 'committed':
      return isTime(value.timeoutMs) && isListOf(value.partitions, isPartition);
    case 'offsets':
      return isTime(value.timeoutMs) && isListOf(value.questions, isQuestion);
    case 'close':
      return isTime(value.timeoutMs) && ['default', 'leave', 'remain'].includes(value.leave as string);
    default:
      return false;
  }
}

export function isTransactionOffsets(value: unknown): value is TransactionOffsets {
  if (!isRow(value) || !isRow(value.group) || !isListOf(value.offsets, isOffset)) return false;
  const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId } = value.group;
  return (
    typeof groupId === 'string' &&
    isOptional(generationIdOrMemberEpoch, isInt32) &&
    isOptional(memberId, isText) &&
    (groupInstanceId === null || isOptional(groupInstanceId, isText))
  );
}

function isSubscription(value: unknown): boolean {
  if (!isRow(value)) return false;
  if (Array.isArray(value.names)) return value.names.every(isTopicName);
  if (isRow(value.pattern)) return isPattern(value.pattern);
  return typeof value.brokerPattern === 'string';
}

function isPattern({ source, flags }: Row): boolean {
  if (typeof source !== 'string' || typeof flags !== 'string') return false;
  try {
    new RegExp(source, flags);
    return true;
  } catch {
    return false;
  }
}

function isStart(value: unknown): boolean {
  if (value === 'earliest' || value === 'latest') return true;
  return isRow(value) && (isInt64Text(value.offset) || isInteger(value.timestampMs));
}

function isPartition(value: unknown): value is Row {
  return isRow(value) && isTopicName(value.topic) && isInt32(value.partition) && value.partition >= 0;
}

function isOffset(value: unknown): boolean {
  if (!isPartition(value) || !isInt64Text(value.offset) || !isOptional(value.leaderEpoch, isInt32)) return false;
  return value.metadata === null || isOptional(value.metadata, isText);
}

function isQuestion(value: unknown): boolean {
  return isPartition(value) && isInteger(value.timestampMs);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, is: (element: Row) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

/** What is left out does not travel in JSON. */
function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isInt32(value: unknown): value is number {
  return isInteger(value) && (value | 0) === value;
}

/** 0 or more. JSON has no Infinity, which travels as null. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function isInt64Text(value: unknown): boolean {
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value);
}
