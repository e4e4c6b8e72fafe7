// Owns the HTTP request for an OIDC token, in the form of `fetch`. Network thread. Unlike `fetch` it looks names up as connections to
// brokers do, so that an application that keeps the process's thread pool busy delays no login. Must not follow a redirect.

import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Statuses whose responses have no body. */
const bodiless = new Set([204, 205, 304]);

/** A `fetch` for one URL, a body of text and a signal. It rejects as `fetch` does: with the signal's reason, or a TypeError with a cause. */
export function postBesidePool(lookup: LookupFunction): typeof fetch {
  return async (url, init = {}) => {
    const target = new URL(String(url));
    // Loaded at the first login: both take time, and most clients need neither.
    const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http');
    const { method = 'GET', headers, body, signal } = init;
    const text = String(body ?? '');
    return new Promise<Response>((resolve, reject) => {
      const options = {
        method,
        headers: { ...(headers as Record<string, string>), 'content-length': Buffer.byteLength(text) },
        lookup,
        agent: false,
      };
      const sent = request(target, options, (incoming) => {
        const status = incoming.statusCode ?? 0;
        if (status >= 300 && status < 400 && incoming.headers.location !== undefined) {
          sent.destroy();
          reject(new TypeError('unexpected redirect'));
          return;
        }
        whenAborted(signal, (reason) => incoming.destroy(reason));
        const stream = Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
        resolve(
          new Response(bodiless.has(status) ? null : (stream as ConstructorParameters<typeof Response>[0]), { status }),
        );
      });
      const failed = (cause: Error): void => {
        reject(signal?.aborted ? (signal.reason as Error) : new TypeError('fetch failed', { cause }));
      };
      whenAborted(signal, (reason) => sent.destroy(reason));
      sent.on('error', failed);
      sent.end(text);
    });
  };
}

function whenAborted(signal: AbortSignal | null | undefined, end: (reason: Error) => void): void {
  if (signal?.aborted) end(signal.reason as Error);
  else signal?.addEventListener('abort', () => end(signal.reason as Error), { once: true });
}
