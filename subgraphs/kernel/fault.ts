/**
 * Places between two lines at which a process may be killed, each by a name. A test kills it there and looks what the
 * next process makes of it (`test/journeys/crash.program.test.ts`); everywhere else a point is the call of a function that does
 * nothing. These are names only: what happens there is the business of whoever has the point in its code.
 *
 * A commit has two: before it nothing of the transaction is true, after it all of it, and nobody in this process has
 * acted on it yet. A call outside has two: the other side does not know of it, and knows of it while we do not.
 */
export const faultPoints = [
  'checkout.open.before-commit',
  'checkout.open.after-commit',
  'checkout.confirm.before-commit',
  'checkout.confirm.after-commit',
  'worker.claimed',
  'worker.before-rest',
  'worker.rested',
  'worker.before-release',
  'worker.released',
  'wallet.authorize.before-call',
  'wallet.authorize.after-call',
  'wallet.order.remembered',
  'payment.held.before-commit',
  'payment.held.after-commit',
  'payment.declined.before-commit',
  'payment.declined.after-commit',
  'network.pay.before-call',
  'network.pay.after-call',
  'network.inquire.before-call',
  'network.inquire.after-call',
  'network.cancel.before-call',
  'network.cancel.after-call',
  'payment.accepted.before-commit',
  'payment.accepted.after-commit',
  'payment.refused.before-commit',
  'payment.refused.after-commit',
  'wallet.capture.before-call',
  'wallet.capture.after-call',
  'payment.captured.before-commit',
  'payment.captured.after-commit',
  'wallet.void.before-call',
  'wallet.void.after-call',
  'payment.voided.before-commit',
  'payment.voided.after-commit',
  'payment.review.before-commit',
  'payment.review.after-commit',
  'refund.request.before-commit',
  'refund.request.after-commit',
  'network.refund.before-call',
  'network.refund.after-call',
  'network.inquire-refund.before-call',
  'network.inquire-refund.after-call',
  'refund.taken.before-commit',
  'refund.taken.after-commit',
  'refund.refused.before-commit',
  'refund.refused.after-commit',
  'wallet.refund.before-call',
  'wallet.refund.after-call',
  'refund.given.before-commit',
  'refund.given.after-commit',
  'refund.owed.before-commit',
  'refund.owed.after-commit',
  'outbox.before-publish',
  'outbox.after-publish',
  'outbox.after-delete',
  'notification.stored',
  'notification.kicked',
  'server.answered',
] as const;

export type FaultPoint = (typeof faultPoints)[number];

let listener: ((point: FaultPoint) => void) | null = null;

/** Does nothing, unless a test listens. */
export function faultPoint(point: FaultPoint): void {
  listener?.(point);
}

/**
 * For the entry of a test's process, and for nothing else: nothing that a service is made of calls it, nor can a request
 * or a variable of the environment (`test/architecture/faults.test.ts`).
 */
export function onFaultPoint(listen: (point: FaultPoint) => void): void {
  listener = listen;
}
