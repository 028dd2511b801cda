/** The caller no longer waits: says nothing about the one that was asked. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** The one that was asked did not answer in time. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
}

/** Runs `work` with a signal that aborts after `ms` (DeadlineExceeded) or with the caller's own (CallerGone). */
export async function within<T>(
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // By hand, not AbortSignal.any: the timer must not outlive the work, nor a listener the caller's long signal.
  const controller = new AbortController();
  const gone = () => controller.abort(new CallerGone());
  if (caller?.aborted) gone();
  const timer = setTimeout(() => controller.abort(new DeadlineExceeded()), ms);
  caller?.addEventListener('abort', gone);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', gone);
  }
}

/** The outcome of `work`, or the signal's reason as soon as it aborts, whether or not `work` listens to it. */
export function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', aborted));
  });
}
