// Owns calls with one answer for the whole call: repeats the request until the answer is final or the call's time is over. Network
// thread.

import { errorFor } from '../../common/errors/error-for.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { actionFor, type Target } from './actions.ts';
import { type Answered, type Call, isRetriableFailure, someBroker } from './call.ts';

export interface WholeAnswer<Response> {
  /** The error code of the answer. */
  readonly code: number;
  readonly message?: string | null;
  readonly answer: Response;
}

/** Rejects with the answer's error, with KafkaTimeoutError, or with the final error of a request. */
export async function askOnce<Response>(
  call: Call,
  target: Target,
  ask: () => Promise<WholeAnswer<Response>>,
): Promise<Response> {
  for (;;) {
    let failure: Error;
    try {
      const { code, message, answer } = await ask();
      const error = errorFor(code);
      if (error === null) return answer;
      if (message !== undefined && message !== null && message !== '') error.message += `: ${message}`;
      if (actionFor(code, target) === 'final') throw error;
      failure = error;
    } catch (error) {
      if (!isRetriableFailure(error) || call.isOver) throw error;
      failure = error as Error;
    }
    await call.backOff(failure);
  }
}

/**
 * Asks any broker, again and again until one answers.
 * Rejects with the answer's error, with KafkaTimeoutError, or with the final error of a request.
 */
export function askAnyBroker<Request, Response>(
  call: Call,
  api: Api<Request, Response>,
  request: Request,
  versions: { readonly minVersion?: number; readonly maxVersion?: number } = {},
): Promise<Answered<Response>> {
  return askOnce(call, 'any', async () => {
    const answer = await call.send(someBroker, api, request, versions);
    // Some responses have no error of their own: their parts have.
    const { errorCode = 0, errorMessage } = answer.response as { errorCode?: number; errorMessage?: string | null };
    return { code: errorCode, answer, ...(errorMessage !== undefined && { message: errorMessage }) };
  });
}
