/** The address that visitors scan: the room as phones can reach it. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The address that visitors open. */
export interface Way {
  readonly address: string;
  /** Whether phones can use it: `localhost` means the phone itself there. */
  readonly forPhones: boolean;
}

/**
 * Chooses the room's address for phones.
 *
 * @param wished from the wall's own address (`?url=`); '' for none
 * @param page origin of the wall's page
 * @param known origin that the server reports as reachable by phones; '' if unknown
 */
export function visitorAddress(room: string, wished: string, page: string, known: string): Way {
  if (wished !== '') return { address: wished, forPhones: true };
  // A wall on the server's own machine uses a loopback address, which phones cannot reach.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}
