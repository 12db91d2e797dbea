/** Notices to one visitor that refuse nothing. A closed set, with a text for each. */
export const NOTICES = {
  'name-hidden': 'That name cannot be shown here. You are here without one.',
} as const satisfies Record<string, string>;

export type Notice = keyof typeof NOTICES;
