/** What the page says of the server's health, in a word. */
import { msg } from '@lit/localize';
import type { HostState } from '../../shared/host/state.ts';

export interface Health {
  readonly kind: 'good' | 'warning' | 'wrong';
  readonly text: string;
}

/** The worst that there is to say. @param reachable whether the server answers */
export function healthOf(
  {
    keeping,
    clockSetBack,
    aside,
    dim,
    rooms,
  }: Pick<HostState, 'keeping' | 'clockSetBack' | 'aside' | 'dim' | 'rooms'>,
  reachable: boolean,
): Health {
  const wrong = (text: string): Health => ({ kind: 'wrong', text });
  if (!reachable) return wrong(msg('no connection'));
  if (keeping === false) return wrong(msg('cannot save to disk'));
  if (aside.some(({ what }) => what !== 'replaced')) return wrong(msg('data were damaged'));
  if (clockSetBack) return wrong(msg('the clock was set back'));
  if (dim) return { kind: 'warning', text: msg('outside opening hours') };
  return rooms.some(({ walls }) => walls.lost > 0)
    ? wrong(msg('a wall is lost'))
    : { kind: 'good', text: msg('everything is fine') };
}
