/**
 * Why a call of the host page is refused. A closed set, like the one for visitors: every refusal
 * names one of these, and the page has a text for each.
 */
export const HOST_REASONS = {
  'no-session': 'Please sign in with the host token.',
  'wrong-token': 'That is not the host token.',
  'too-many-tries': 'Too many wrong tokens. Please wait a little.',
  'wrong-origin': 'This call comes from another page than the host page.',
  'wrong-key': 'This page is from an older visit. Reload it.',
  'unknown-call': 'The server does not know this call.',
  'bad-call': 'The call is not of the right form.',
  'too-large': 'The call is too large.',
  'not-json': 'The call is not JSON.',
  'no-such-room': 'There is no room of that name.',
  'room-exists': 'There is a room of that name already.',
  'room-open': 'Close the room first.',
  'room-closed': 'The room is closed. Open it first.',
  elsewhere: 'The server that runs this room does not answer. Try again in a moment.',
  'no-such-server': 'That server is not there any more.',
  'nobody-takes-over': 'No other server can take its rooms over. Start one first.',
  'not-confirmed': "Type the room's name to confirm.",
  'fixed-room': 'The server is started with this room: it can be closed, but not removed.',
  'no-such-checkpoint': 'There is no checkpoint of that name.',
  'other-checkpoint': 'What is kept was grown from another checkpoint.',
  'too-many-rooms': 'There are as many rooms as this server takes.',
  'no-such-organism': 'That organism is not there any more.',
  'no-such-participant': 'That visitor is not there any more.',
  'no-such-drawing': 'That drawing does not wait any more.',
  'off-grid': 'That lies outside the room.',
  'no-such-ban': 'That ban is over already.',
  'no-such-wall': 'That wall has no place any more.',
  'wall-exists': 'There is a wall of that name already.',
  'too-many-walls': 'There are as many walls as this room takes.',
  'nothing-to-undo': 'Nothing was done in that time.',
  'undo-too-far': 'So far back is not kept. Choose fewer seconds.',
  'no-such-snapshot': 'That snapshot is not kept any more.',
  'too-many-snapshots': 'Remove a named snapshot first.',
  'not-aside': 'That is not set aside any more.',
  'not-kept': 'This server keeps nothing: it was started with --data none.',
  'no-such-time': 'Nothing is kept of that time.',
  'room-busy': 'Something else is being done in this room. Try again in a moment.',
  'too-many-jobs': 'Other work is going on. Wait until it is done.',
  'no-such-job': 'That work is not there any more.',
  'job-not-done': 'That work is not done yet.',
  failed: 'That did not work. The log says more.',
} as const satisfies Record<string, string>;

export type HostReason = keyof typeof HOST_REASONS;

/** Why a film could not be made; also a closed set. */
export const JOB_REASONS = {
  'not-kept': 'Not all of that time is kept.',
  damaged: 'What is kept of that time cannot be read.',
  'other-checkpoint': 'The room was grown from another checkpoint then.',
  stalled: 'It came no further.',
  ended: 'Its process ended before it was done.',
  failed: 'That did not work. The log says more.',
} as const satisfies Record<string, string>;

export type JobReason = keyof typeof JOB_REASONS;

/** Thrown when a call of the host page is refused. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal';

  constructor(
    readonly reason: HostReason,
    /** Details for the page's small print. */
    readonly detail = '',
    /** Delay before the next attempt, ms. */
    readonly retryAfter?: number,
  ) {
    super(detail ? `${reason}: ${detail}` : reason);
  }
}
