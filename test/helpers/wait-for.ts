// Waiting for a condition, as the embedded broker does it too.

export { waitFor } from '../../src/testing/wait-for.ts';
