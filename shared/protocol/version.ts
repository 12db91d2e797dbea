/** Raised with every change of a message or a frame that an older client would misread. */
export const PROTOCOL_VERSION = 6;
