/**
 * Increased with every change of a message or frame that older clients would misread. A page of
 * another version is told to reload.
 */
export const PROTOCOL_VERSION = 1;
