// Owns the sizes of an attachment's rings, by the configuration. Application thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { ringCapacity } from '../../common/ring-sizes.ts';
import type { AttachmentOptions } from '../../ring/attachment.ts';

export function ringSizes(config: KafkaClientConfig): AttachmentOptions {
  const { spillBytes, spillBudgetBytes } = config;
  return {
    requestRingBytes: ringCapacity(config.requestRingBytes),
    responseRingBytes: ringCapacity(config.responseRingBytes),
    spillBytes,
    spillBudgetBytes,
  };
}
