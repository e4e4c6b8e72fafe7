// Owns the compiling before a script that people run by hand, and shows that it is at work: the seconds in one line of a terminal, a line now
// and then elsewhere. It is JavaScript because nothing is compiled yet.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const settings = fileURLToPath(new URL('../tsconfig.dev.json', import.meta.url));
const text = 'compiling the TypeScript; the first time takes half a minute';
const plainLineMs = 10_000;
const redrawMs = 200;

const end = await showLife(process.stderr);
const child = spawn(process.execPath, [compiler, '-p', settings], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('close', (exitCode) => {
  end();
  process.exitCode = exitCode ?? 1;
});

/** Returns the function that ends it. */
async function showLife(out) {
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  const library = out.isTTY && process.env.TERM !== 'dumb' ? await loadLibrary() : null;
  if (library === null) {
    out.write(`${text}\n`);
    const timer = setInterval(() => out.write(`still compiling, ${seconds()} s so far\n`), plainLineMs);
    return () => clearInterval(timer);
  }
  const bar = new library.SingleBar({
    stream: out,
    linewrap: true,
    hideCursor: false,
    // One column is left free: a full line moves the cursor to the next one.
    format: () => `${seconds()} s  ${text}`.slice(0, Math.max((out.columns ?? 80) - 1, 0)),
  });
  bar.start(1, 0);
  const timer = setInterval(() => bar.render(), redrawMs);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

/** An optional package: without it there are plain lines. */
async function loadLibrary() {
  try {
    const loaded = await import('cli-progress');
    return loaded.default ?? loaded;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}
