/** The bytes of a text whose characters are all below 256, as file formats ask for. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
