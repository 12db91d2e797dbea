/** What the server lets one visitor know without refusing anything. A closed set, with words for each. */
export const NOTICES = {
  'name-hidden': 'That name cannot be shown here. You are here without one.',
} as const satisfies Record<string, string>;

export type Notice = keyof typeof NOTICES;
