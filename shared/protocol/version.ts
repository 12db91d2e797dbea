/** Increased with every change of a message or frame that older clients would misread. */
export const PROTOCOL_VERSION = 8;
