// Owns the error of the main job that its user can do something about: shown without a stack. Main thread.

export class JobError extends Error {
  override readonly name = 'JobError';
}

/** What to tell the user: a message for errors that are about the world, the stack for those that are about this code. */
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
