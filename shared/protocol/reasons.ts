/**
 * All reasons for which the server refuses a visitor's command. Clients have a text for each
 * reason.
 */
export const REASONS = [
  'protocol-version',
  'no-such-room',
  'room-full',
  'too-many-walls',
  'too-many-spectators',
  /** The secret in the address (`?pass=`) does not belong to any table. */
  'no-such-table',
  /** The table's address has been opened on another screen. */
  'table-taken',
  'table-blocked',
  /** The sender is a wall or a spectator, and these may only watch. */
  'only-watches',
  'already-joined',
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
  /** The room does not allow programs to plant their own latents. */
  'no-latents',
  /** The host has hidden the creature that grows from this seed. */
  'seed-hidden',
  'drawing-declined',
  'drawing-expired',
  'drawing-unseen',
  'drawings-waiting',
  'too-many-drawings',
  'no-such-organism',
  /** The organism is still growing, so it cannot be transformed or grafted onto. */
  'not-grown',
  /** The organism has no graft that the sender can remove. */
  'no-graft',
  'no-such-participant',
  /** The participant whom this visitor wants to follow is following this visitor's view. */
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
 * The reason why a connection has ended for good: the reason for which the server refused the
 * client; `unreachable`, if the server could not be reached for too long; or `left`, if this client
 * has left the room.
 */
export type EndReason = Reason | 'unreachable' | 'left';

/**
 * All notices that the server sends to a single visitor. Unlike a reason, a notice does not mean
 * that a command was refused. Clients have a text for each notice.
 */
export const NOTICES = ['name-hidden', 'some-protected', 'name-reserved'] as const;

export type Notice = (typeof NOTICES)[number];

/** Thrown when a visitor's command is refused. Contains one of the `REASONS`. */
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
 * Version of the protocol. Increase it with every change of a message or frame that clients of the
 * previous version would misread. The server asks pages with another version to reload.
 */
export const PROTOCOL_VERSION = 1;
