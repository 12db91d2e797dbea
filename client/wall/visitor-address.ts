/** What visitors scan: the address of the room as phones reach it. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Where visitors come in. */
export interface Way {
  readonly address: string;
  /** Whether it is worth scanning: to a phone, what a machine calls itself is the phone. */
  readonly forPhones: boolean;
}

/**
 * @param wished of the wall's own address (`?url=`); '' for none
 * @param page origin of the wall's page
 * @param known where the server says that phones reach it; '' where it does not know
 */
export function visitorAddress(room: string, wished: string, page: string, known: string): Way {
  if (wished !== '') return { address: wished, forPhones: true };
  // A wall on the server's own machine calls it by a name that means another machine to every phone.
  const isOwn = LOOPBACK.test(new URL(page).hostname);
  const here = isOwn && known !== '' ? known : page;
  return { address: `${here}/r/${room}`, forPhones: !isOwn || known !== '' };
}

/** An address as people read and type it. */
export function readable(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
