/**
 * Reasons for which the server can refuse a call of the host's API. The host's page has a text for
 * each reason.
 */
export const HOST_REASONS = [
  'no-session',
  'wrong-token',
  'too-many-tries',
  'wrong-origin',
  'wrong-key',
  'not-allowed',
  'too-many-calls',
  'no-such-token',
  'too-many-tokens',
  'unknown-call',
  'bad-call',
  'too-large',
  'not-json',
  'no-such-room',
  'room-exists',
  'room-open',
  'room-closed',
  'elsewhere',
  'no-such-server',
  'nobody-takes-over',
  'not-confirmed',
  'fixed-room',
  'no-such-checkpoint',
  'other-checkpoint',
  'bad-checkpoint',
  'not-everywhere',
  'too-many-rooms',
  'no-such-organism',
  'no-such-participant',
  'no-such-drawing',
  'off-grid',
  'no-such-ban',
  'no-such-wall',
  'wall-exists',
  'too-many-walls',
  'nothing-to-undo',
  'undo-too-far',
  'no-such-snapshot',
  'too-many-snapshots',
  'not-aside',
  'not-kept',
  'no-such-time',
  'room-busy',
  'too-many-jobs',
  'no-such-job',
  'job-not-done',
  'no-such-logo',
  'not-a-picture',
  'no-alerts',
  'not-delivered',
  'failed',
] as const;

export type HostReason = (typeof HOST_REASONS)[number];

/** Reasons why the rendering of a film can fail. */
export const JOB_REASONS = [
  'not-kept',
  'damaged',
  'other-checkpoint',
  'stalled',
  'ended',
  'failed',
] as const;

export type JobReason = (typeof JOB_REASONS)[number];

/** Thrown to refuse a call of the host's API. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal';

  constructor(
    readonly reason: HostReason,
    /** Details for developers; not shown on the page. */
    readonly detail = '',
    /** How long to wait before the next attempt, in ms. */
    readonly retryAfter?: number,
  ) {
    super(detail ? `${reason}: ${detail}` : reason);
  }
}
