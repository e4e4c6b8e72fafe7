// Waiting for a condition. The embedded broker uses the same function.

export { waitFor } from '../../src/testing/wait-for.ts';
