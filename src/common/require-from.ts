// Owns `require` for packages that need not be installed. Every thread. Bundlers follow a `require` of their own making and
// `createRequire`; what is asked for by this one they leave alone, to be found, or not, when the program runs.

/** @param url of the module that asks: `import.meta.url` */
export function requireFrom(url: string): NodeJS.Require {
  // Not imported, which is what bundlers look for.
  return process.getBuiltinModule('node:module').createRequire(url);
}
