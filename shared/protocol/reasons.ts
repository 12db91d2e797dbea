/**
 * Why the server refuses a command. This is a closed set, and clients have a text for each reason.
 */
export const REASONS = [
  'protocol-version',
  'no-such-room',
  'room-full',
  /** The room has its maximum number of walls. */
  'too-many-walls',
  /** The room has its maximum number of spectators. */
  'too-many-spectators',
  /** The pass in the table's address is not a table's. */
  'no-such-table',
  /** Another screen has opened the table's address. */
  'table-taken',
  /** The host has blocked the table. */
  'table-blocked',
  /** Walls and spectators may only watch. */
  'only-watches',
  'already-joined',
  /** The connection has not joined a room. */
  'not-joined',
  'gave-way',
  'replaced',
  'join-timeout',
  'unknown-message',
  'bad-message',
  'off-grid',
  'bad-point',
  'occupied',
  'garden-full',
  'no-such-seed',
  'bad-token',
  'bad-name',
  'reserved-name',
  'bad-latent',
  'bad-drawing',
  'no-drawings',
  'no-tokens',
  /** This room does not allow planting latents from programs. */
  'no-latents',
  /** The host has hidden the creature that grows from this seed. */
  'seed-hidden',
  'drawing-declined',
  'drawing-expired',
  'drawing-unseen',
  'drawings-waiting',
  'too-many-drawings',
  'no-such-organism',
  /** The organism is still growing, so it cannot be transformed. */
  'not-grown',
  /** The organism has no graft that the visitor can take back. */
  'no-graft',
  'no-such-participant',
  /** The other participant follows this visitor's view, so this visitor cannot follow theirs. */
  'follows-you',
  'protected',
  'not-yours',
  'stroke-too-long',
  'no-energy',
  'not-here',
  'too-fast',
  'room-busy',
  'too-many-joins',
  'too-many-connections',
  'wrong-origin',
  'abuse',
  'banned',
  'room-closed',
  /** Another server of the cluster runs this room, or no server can run it now. */
  'elsewhere',
  /** The view-only link is switched off in this room. */
  'no-spectators',
  'paused',
  'muted',
  'sent-away',
  'cooling-down',
  'shutting-down',
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * Why a connection has ended for good: a refusal, a server that could not be reached for too long,
 * or because this client has left.
 */
export type EndReason = Reason | 'unreachable' | 'left';

/**
 * Notices to one visitor that refuse nothing. This is a closed set, and clients have a text for
 * each notice.
 */
export const NOTICES = ['name-hidden', 'some-protected', 'name-reserved'] as const;

export type Notice = (typeof NOTICES)[number];

/** Thrown when a visitor's command is refused; carries a reason of the closed set. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly reason: Reason,
    /** Details for developers; not shown to visitors. */
    readonly detail = '',
  ) {
    super(detail ? `${reason}: ${detail}` : reason);
  }
}

/**
 * Increased with every change of a message or frame that older clients would misread. A page with
 * another version is asked to reload.
 */
export const PROTOCOL_VERSION = 1;
