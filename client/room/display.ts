/** What walls and tables share: the address for phones, and when the page may load itself anew. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The address that visitors open. */
export interface VisitorAddress {
  readonly address: string;
  /**
   * Whether phones can use the address. They cannot use `localhost`, because on a phone it means
   * the phone itself.
   */
  readonly forPhones: boolean;
}

/**
 * Chooses the room's address for phones.
 *
 * @param wished address in the wall's own address (`?url=`); '' for none
 * @param page origin of the wall's page
 * @param known origin that the server reports as reachable by phones; '' if unknown
 */
export function visitorAddress(
  room: string,
  wished: string,
  page: string,
  known: string,
): VisitorAddress {
  if (wished !== '') return { address: wished, forPhones: true };
  // A wall on the server's machine uses a loopback address, which phones cannot reach, so prefer
  // the reported address.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}

/** Minimum time between two reloads, in ms. */
const PATIENCE = 60_000;
const KEY = 'vivarium wall renewed';

/**
 * Whether the page may reload now.
 *
 * @param now in ms, on a clock that continues across reloads
 * @param storage returns storage that survives a reload; throws if storage is blocked
 */
export function mayRenew(
  now: number,
  storage: () => Pick<Storage, 'getItem' | 'setItem'>,
): boolean {
  try {
    const memory = storage();
    const last = Number(memory.getItem(KEY) ?? Number.NEGATIVE_INFINITY);
    if (now - last < PATIENCE && now >= last) return false;
    memory.setItem(KEY, String(now));
    return true;
  } catch {
    // Do not reload, because without storage the page cannot know how often it has reloaded.
    return false;
  }
}
