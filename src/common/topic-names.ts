// Owns Kafka's rule for names of topics. Every thread.

const maxTopicLength = 249;

export const topicNameRule = `1 to ${maxTopicLength} characters of a-z A-Z 0-9 . _ -, and not "." or ".."`;

export function isTopicName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > maxTopicLength || name === '.' || name === '..') return false;
  return /^[a-zA-Z0-9._-]+$/.test(name);
}
