// Owns the loading of the code of all APIs' messages. Runs on application threads. Here it is there already. In the package it is a file of its
// own (scripts/late-messages.ts), because it is half of the code of an application thread, and an application that only has a producer or a
// consumer of its own needs none of it.

/** Must be awaited before an application uses an API, but for Metadata. */
export async function loadMessages(): Promise<void> {}

/** Must be awaited before a broker reads requests or writes responses, but for Metadata. */
export async function loadBrokerMessages(): Promise<void> {}
