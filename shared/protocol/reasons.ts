/** Why the server refuses a command. A closed set; clients have a text for each reason. */
export const REASONS = {
  'protocol-version': 'This page is older or newer than the server. Reload it.',
  'no-such-room': 'There is no room of that name.',
  'room-full': 'The room is full. Please wait a moment.',
  'too-many-walls': 'As many walls show this room as it takes.',
  'only-watches': 'A wall only shows the room.',
  'already-joined': 'This connection is in a room already.',
  'not-joined': 'Join a room first.',
  'gave-way': 'Your place has gone to one of those who wait. What you planted stays.',
  replaced: 'This visit continues in another window.',
  'join-timeout': 'This page has been silent for too long.',
  'unknown-message': 'The server does not know this message.',
  'bad-message': 'The message is not of the right form.',
  'off-grid': 'Too close to the edge: the organism would not fit.',
  'bad-point': 'A point of the stroke lies outside the grid.',
  occupied: 'Another organism lives there.',
  'garden-full': 'No more organisms fit into this room just now. Try again in a minute.',
  'no-such-seed': 'There is no such seed.',
  'bad-token': 'This keepsake grows in another garden, or its link is damaged.',
  'bad-name': 'That name cannot be shown here.',
  'reserved-name': 'That name is for the gardener or the host. Choose another one.',
  'bad-latent': 'The latent vector has the wrong length or is out of range.',
  'bad-drawing': 'That drawing cannot be grown here.',
  'no-drawings': 'Drawing is switched off in this room.',
  'no-tokens': 'Keepsakes cannot be planted in this room.',
  'no-latents': 'Latents of your own cannot be planted in this room.',
  'drawing-declined': 'The host would rather not have this drawing here. Try another one.',
  'drawing-expired': 'Nobody had the time to look at your drawing. You can send it again.',
  'drawing-unseen': 'The host has not seen this drawing. Draw it again to show it.',
  'drawings-waiting': 'Your last drawings still wait for the host. Please wait a little.',
  'too-many-drawings': 'Many drawings wait for the host. Please try again later.',
  'no-such-organism': 'That organism is not here any more.',
  protected: 'That one was just wounded. Let it heal for a moment.',
  'not-yours': 'Somebody else has planted that one.',
  'stroke-too-long': 'The stroke is too long.',
  'no-energy': 'Out of energy for a moment. It is coming back.',
  'not-here': 'This room does not take that just now.',
  'too-fast': 'Too much at once. Slow down a little.',
  'room-busy': 'The room is busy right now. Please try again.',
  'too-many-joins': 'Too many are coming in at once. Please wait a moment.',
  'too-many-connections': 'There are too many connections. Please wait a moment.',
  'wrong-origin': 'This page comes from elsewhere and may not open this room.',
  abuse: 'Far too many requests at once. The connection was closed.',
  banned: 'Too many requests came from here. Please wait a minute.',
  'room-closed': 'This room is closed just now. It opens again by itself.',
  paused: 'The host has paused the room for a moment.',
  muted: 'You can watch, but not act right now.',
  'sent-away': 'The host has ended this visit.',
  'cooling-down': 'One seed at a time. The next one is ready in a moment.',
  'shutting-down': 'The server is closing.',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

/** Notices to one visitor that refuse nothing. A closed set, with a text for each. */
export const NOTICES = {
  'name-hidden': 'That name cannot be shown here. You are here without one.',
  'some-protected': 'That one was just wounded. Let it heal for a moment.',
  'name-reserved': 'That name is for the gardener or the host. You are here without one.',
} as const satisfies Record<string, string>;

export type Notice = keyof typeof NOTICES;

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
