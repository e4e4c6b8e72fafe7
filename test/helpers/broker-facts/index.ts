// Owns the list of all facts about brokers, by subject.

import type { BrokerFacts } from './asker.ts';
import { consumerGroupFacts } from './consumer-group-facts.ts';
import { fetchFacts } from './fetch-facts.ts';
import { groupFacts } from './group-facts.ts';
import { mixedGroupFacts } from './mixed-group-facts.ts';
import { producerFacts } from './producer-facts.ts';
import { transactionFacts } from './transaction-facts.ts';

export const allBrokerFacts: Readonly<Record<string, BrokerFacts>> = {
  producers: producerFacts,
  transactions: transactionFacts,
  fetching: fetchFacts,
  'classic groups and offsets': groupFacts,
  'KIP-848 groups': consumerGroupFacts,
  'groups of both protocols': mixedGroupFacts,
};
