/** A GPU cannot be used, or has failed. The message says what to do next. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';

  constructor(what: string) {
    super(`webgpu: ${what}`);
  }
}
