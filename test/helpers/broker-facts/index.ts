// Owns the list of all facts about brokers, by what they are about.

import type { BrokerFacts } from './asker.ts';
import { fetchFacts } from './fetch-facts.ts';
import { producerFacts } from './producer-facts.ts';
import { transactionFacts } from './transaction-facts.ts';

export const allBrokerFacts: Readonly<Record<string, BrokerFacts>> = {
  producers: producerFacts,
  transactions: transactionFacts,
  fetching: fetchFacts,
};
