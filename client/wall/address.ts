/** What visitors scan: the address of the room as phones reach it. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * @param wished of the wall's own address (`?url=`); '' for none
 * @param page origin of the wall's page
 * @param known where the server says that phones reach it; '' where it does not know
 */
export function visitorAddress(room: string, wished: string, page: string, known: string): string {
  if (wished !== '') return wished;
  // A wall on the server's own machine calls it by a name that means another machine to every phone.
  const here = LOOPBACK.test(new URL(page).hostname) && known !== '' ? known : page;
  return `${here}/r/${room}`;
}

/** An address as people read and type it. */
export function readable(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
