/** The sections of the host's page, in the order in which a day needs them. Pure. */
import { msg } from '@lit/localize';
import type { HostIcon } from './icons.ts';

export interface Section {
  readonly id: SectionId;
  readonly name: string;
  readonly icon: HostIcon;
  /** On a phone it has a place of its own at the foot of the page. */
  readonly first: boolean;
}

export type SectionId =
  | 'watch'
  | 'rooms'
  | 'knobs'
  | 'visitors'
  | 'hours'
  | 'saved'
  | 'film'
  | 'sign';

export const SECTIONS: readonly Section[] = [
  { id: 'watch', name: msg('Watch'), icon: 'watch', first: true },
  { id: 'rooms', name: msg('Rooms'), icon: 'rooms', first: true },
  { id: 'knobs', name: msg('Knobs'), icon: 'knobs', first: true },
  { id: 'visitors', name: msg('Visitors'), icon: 'visitors', first: true },
  { id: 'hours', name: msg('Hours'), icon: 'hours', first: false },
  { id: 'saved', name: msg('Saved'), icon: 'saved', first: false },
  { id: 'film', name: msg('Film of the day'), icon: 'film', first: false },
  { id: 'sign', name: msg('Sign'), icon: 'sign', first: false },
];

export interface HostLocation {
  readonly room: string;
  readonly section: SectionId;
}

/** Reads '#/garden/watch'; what is missing or unknown is the first section, or ''. */
export function readPlace(hash: string): HostLocation {
  const [room = '', id] = hash.replace(/^#\/?/, '').split('/');
  const section = SECTIONS.find((each) => each.id === id)?.id ?? 'watch';
  return { room: /^[a-z0-9-]{1,32}$/.test(room) ? room : '', section };
}

export function placeHash({ room, section }: HostLocation): string {
  return `#/${room}/${section}`;
}

/** 'Café 2!' → 'caf-2': what fits into an address. */
export function addressName(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
}
