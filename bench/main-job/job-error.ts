// Owns the main job's error class for problems that the user can solve. Such errors are shown without a stack. Main thread.

export class JobError extends Error {
  override readonly name = 'JobError';
}

/** The text for the user: the message of an error from outside, or the stack of an error in this code. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isOurs = !(error instanceof JobError) && !('code' in error);
  const text = isOurs ? (error.stack ?? error.message) : withName(error);
  const { cause } = error;
  if (!(cause instanceof Error) || text.includes(cause.message)) return text;
  return `${text}\n  because: ${describeFailure(cause)}`;
}

function withName(error: Error): string {
  return error instanceof JobError ? error.message : `${error.name}: ${error.message}`;
}
