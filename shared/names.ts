/** Maximum length of a name, in code points. */
export const MAX_NAME_LENGTH = 24;

/** Name of the gardener, shown as the planter of organisms. */
export const GARDENER_NAME = 'The gardener';

/** Name shown as the planter of organisms planted through OSC messages. */
export const OSC_NAME = 'The house';

/** Names of planters that are not people. Visitors cannot take these names. */
export const BUILT_IN_NAMES: readonly string[] = [GARDENER_NAME, OSC_NAME];
