/** What a keepsake's link says: the seed, and the room that it comes from. */

export interface KeepLink {
  /** See shared/seed-token.ts. */
  readonly token: string;
  /** Undefined if the link does not name it. */
  readonly room: string | undefined;
}

const LINK = /#([\w-]{16,2800})(?:\/([a-z0-9-]{1,64}))?/;

/** Bytes of a file that are searched. */
const MOST = 64 * 2 ** 20;

/** The first link in a text; undefined if there is none. */
export function readLink(text: string): KeepLink | undefined {
  const [, token, room] = LINK.exec(text) ?? [];
  return token === undefined ? undefined : { token, room };
}

/** The link that a keepsake's picture or film carries; undefined if it carries none. */
export async function linkInFile(file: Blob): Promise<KeepLink | undefined> {
  const bytes = new Uint8Array(await file.slice(0, MOST).arrayBuffer());
  const text = new TextDecoder('latin1').decode(bytes);
  return readLink(text.startsWith('GIF8') ? lastComment(text, bytes) : text);
}

/** The comment at the end of a GIF, which is stored in blocks that begin with their length. */
function lastComment(text: string, bytes: Uint8Array): string {
  let comment = '';
  let at = text.lastIndexOf('!\xfe') + 2;
  while (bytes[at] > 0) {
    const next = at + 1 + bytes[at];
    comment += text.slice(at + 1, next);
    at = next;
  }
  return comment;
}

/** The fragment of a link's address. */
export const fragmentOf = ({ token, room }: KeepLink): string =>
  room === undefined ? `#${token}` : `#${token}/${room}`;

/** Where the seed can be planted. @param server its origin; '' for the page's own */
export function plantingAddress({ token, room }: KeepLink, server: string): string {
  return `${server}/${room === undefined ? '' : `r/${room}`}?seed=${token}`;
}
