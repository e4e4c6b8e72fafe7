// Owns `require` for packages that need not be installed. Every thread. Bundlers follow `require` and an imported `createRequire`.
// They do not see this one, so the package is looked for when the program runs.

/** @param url `import.meta.url` of the calling module */
export function requireFrom(url: string): NodeJS.Require {
  // This is not an import, because bundlers look for that import.
  return process.getBuiltinModule('node:module').createRequire(url);
}
