/** The sections of the host's page, in the order of the navigation, and their addresses. */
import { msg } from '@lit/localize';
import type { HostState } from '../../shared/host/state.ts';

/**
 * All sections of a single server. On a phone, primary sections have a button in the bar; the
 * others are in a menu.
 */
export const SECTIONS = [
  { id: 'watch', name: msg('Watch'), primary: true },
  { id: 'rooms', name: msg('Rooms'), primary: true },
  { id: 'knobs', name: msg('Settings'), primary: true },
  { id: 'visitors', name: msg('Visitors'), primary: true },
  { id: 'gallery', name: msg('Gallery'), primary: false },
  { id: 'hours', name: msg('Hours'), primary: false },
  { id: 'saved', name: msg('Saved states'), primary: false },
  { id: 'film', name: msg('Film of the day'), primary: false },
  { id: 'exhibition', name: msg('Exhibition'), primary: false },
  { id: 'walls', name: msg('Walls'), primary: false },
  { id: 'sign', name: msg('Sign'), primary: false },
  { id: 'access', name: msg('Access tokens'), primary: false },
] as const;

/** The section about the servers, shown only if several servers share the rooms. */
const SERVERS = { id: 'servers', name: msg('Servers'), primary: false } as const;

export type Section = (typeof SECTIONS)[number] | typeof SERVERS;

/** Returns the sections of the page. @param isCluster whether several servers share the rooms */
export const sectionsOf = (isCluster: boolean): readonly Section[] =>
  isCluster ? [...SECTIONS, SERVERS] : SECTIONS;

export interface HostLocation {
  readonly room: string;
  readonly section: Section['id'];
}

/** Parses '#/garden/watch'. An invalid room becomes '', an invalid section 'watch'. */
export function parseLocation(hash: string): HostLocation {
  const [room = '', id] = hash.replace(/^#\/?/, '').split('/');
  const section = sectionsOf(true).find((each) => each.id === id)?.id ?? 'watch';
  return { room: /^[a-z0-9-]{1,32}$/.test(room) ? room : '', section };
}

/** Returns the hash for a location, such as '#/garden/watch'. */
export function locationHash({ room, section }: HostLocation): string {
  return `#/${room}/${section}`;
}

/** Latin letters that Unicode does not decompose into an ASCII letter and a mark. */
const SPELT: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th' },
  ...{ ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', ŧ: 't', ı: 'i' },
};

/** Converts a room's name to its part of the address: 'Café 2!' → 'cafe-2'. */
export function addressName(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^ -~]/g, (letter) => SPELT[letter] ?? letter)
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
}

/** Free space in bytes below which the disk counts as almost full. The server then logs a warning. */
const FILLING = 2 ** 30;

/**
 * Reports the most serious problem, or that there is none.
 *
 * @param reachable whether the server answers
 */
export function healthOf(
  state: Pick<HostState, 'keeping' | 'clockSetBack' | 'aside' | 'machine' | 'dim' | 'rooms'>,
  reachable: boolean,
): { readonly kind: 'good' | 'warning' | 'wrong'; readonly text: string } {
  const { keeping, clockSetBack, aside, machine, dim, rooms } = state;
  const wrong = (text: string) => ({ kind: 'wrong', text }) as const;
  if (!reachable) return wrong(msg('no connection'));
  if (keeping === false) return wrong(msg('cannot save to disk'));
  if (aside.some(({ what }) => what !== 'replaced')) return wrong(msg('data were damaged'));
  if (clockSetBack) return wrong(msg('the clock was set back'));
  if ((machine.diskFree ?? Infinity) < FILLING) {
    return { kind: 'warning', text: msg('the disk is almost full') };
  }
  if (dim) return { kind: 'warning', text: msg('outside opening hours') };
  return rooms.some(({ walls }) => walls.lost > 0)
    ? wrong(msg('a wall is lost'))
    : { kind: 'good', text: msg('everything is fine') };
}
