/** Errors of both sides. */
export class ReasonError extends Error {
  override readonly name: string = 'ReasonError';

  constructor(
    readonly reason: string,
    readonly detail: object,
  ) {
    super(`no: ${reason}`);
  }
}

/** An error that the other side does not know. */
export class PrivateError extends ReasonError {
  override readonly name = 'PrivateError';
}
