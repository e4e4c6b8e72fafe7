// Owns the loading of commander. By `require`: `import` reads a CommonJS package twice, the first time only for the names that it exports.
// Main thread.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const commander = require('commander') as typeof import('commander');
