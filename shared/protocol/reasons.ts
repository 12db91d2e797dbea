/**
 * Reasons for which the server refuses a visitor's command. Clients have a text for each reason.
 */
export const REASONS = [
  'protocol-version',
  'no-such-room',
  'room-full',
  'too-many-walls',
  'too-many-spectators',
  /** The secret in the page's URL (`?pass=`) does not belong to any table. */
  'no-such-table',
  /** The page with the table's URL has been opened on another screen. */
  'table-taken',
  'table-blocked',
  /** The sender is a wall or a spectator, which may only watch. */
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
  /** The sender wants to follow a participant who is following the sender. */
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
 * Why a connection has ended for good: the reason for which the server refused the client;
 * `unreachable` if the server could not be reached for too long; `left` if the client left the
 * room.
 */
export type EndReason = Reason | 'unreachable' | 'left';

/**
 * Notices that the server sends to a single visitor. A notice does not mean that a command was
 * refused.
 */
export const NOTICES = ['name-hidden', 'some-protected', 'name-reserved'] as const;

export type Notice = (typeof NOTICES)[number];

/** Thrown when a visitor's command is refused. */
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
 * Version of the protocol. Increase it if clients of the previous version would misread a message
 * or frame. The server asks pages with another version to reload.
 */
export const PROTOCOL_VERSION = 1;
