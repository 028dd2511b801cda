import { ConflictError } from '../../kernel/error.js';

/** Neither state nor evidence allow it. */
export class ResolutionNotAllowed extends ConflictError {
  constructor(reason: 'NOT_IN_REVIEW' | 'LEGS_DO_NOT_ALLOW' | 'EVIDENCE_DISAGREES') {
    super('RESOLUTION_NOT_ALLOWED', 'This cannot be done with this payment as it stands.', { reason });
  }
}

/** The payment has moved since the resolution was proposed: what was seen then is not what is decided now. */
export class ResolutionOutdated extends ConflictError {
  constructor() {
    super('RESOLUTION_OUTDATED', 'The payment has changed since this was proposed. Look again, and propose anew.');
  }
}

export class ResolutionAlreadyDecided extends ConflictError {
  constructor() {
    super('RESOLUTION_ALREADY_DECIDED', 'This resolution was approved or rejected already.');
  }
}

/** Four eyes: nobody decides what they have proposed. */
export class SecondOperatorRequired extends ConflictError {
  constructor() {
    super('SECOND_OPERATOR_REQUIRED', 'Another operator must decide what you have proposed.');
  }
}
