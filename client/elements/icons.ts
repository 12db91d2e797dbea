/** Icons (SVG, 24×24) and pictures of seeds, which are tiles of the gallery's sprite sheet. */
import { html, svg, type TemplateResult } from 'lit';
import type { Event } from '../../shared/protocol/events.ts';

/**
 * Creates an icon.
 *
 * @param body SVG shapes, drawn as lines in the text's colour
 * @param kind CSS class
 */
export const icon = (body: TemplateResult, kind = ''): TemplateResult =>
  html`<svg class=${kind} viewBox="0 0 24 24" aria-hidden="true" focusable="false">${body}</svg>`;

/** Creates an icon that is mirrored if text runs from right to left. */
export const along = (body: TemplateResult): TemplateResult => icon(body, 'along');

export const icons = {
  /** A sprout. */
  plant: icon(svg`<path d="M12 20v-8" /><path d="M12 13c0-3.6-2.2-5.8-6.5-6 0 3.9 2.2 6 6.5 6Z" />
    <path d="M12 11c0-3.9 2.3-6.4 6.5-6.6 0 4.3-2.2 6.6-6.5 6.6Z" /><path d="M8.5 20h7" />`),
  /** A paintbrush. */
  graft:
    icon(svg`<path d="M19.5 4.5c-3.500 1.600-6.400 4.300-8.700 7.800l1.900 1.900c3.500-2.300 5.800-5.700 6.800-9.700Z" />
    <path d="M10.800 12.300c-3-.4-4.500 1.200-4.800 3.500-.2 1.600-.7 2.600-1.500 3.200 3.600 1 8 .2 8.200-4.800" />`),
  /** A scalpel. */
  damage: icon(svg`<path d="M19.5 4.5c-4 .6-7.6 3-10.4 6.9l3.5 3.5c3.9-2.8 6.3-6.4 6.9-10.4Z" />
    <path d="m9.1 11.4 3.5 3.5" /><path d="m9.6 15.4-5.1 4.1 3.1-6" />`),
  /** A magnifying glass with a cell in it. */
  look: icon(svg`<circle cx="10.5" cy="10.5" r="6" /><path d="m15 15 5 5" />
    <circle cx="10.5" cy="10.5" r="1.6" fill="currentColor" stroke="none" />`),
  dice: icon(svg`<rect x="4.5" y="4.5" width="15" height="15" rx="4" />
    <g fill="currentColor" stroke="none"><circle cx="9" cy="9" r="1.3" /><circle cx="15" cy="9" r="1.3" />
    <circle cx="12" cy="12" r="1.3" /><circle cx="9" cy="15" r="1.3" /><circle cx="15" cy="15" r="1.3" /></g>`),
  close: icon(svg`<path d="m7 7 10 10M17 7 7 17" />`),
  fit: icon(
    svg`<path d="M9 4.5H6A1.5 1.5 0 0 0 4.5 6v3M15 4.5h3A1.5 1.5 0 0 1 19.5 6v3M9 19.5H6A1.5 1.5 0 0 1 4.5 18v-3M15 19.5h3a1.5 1.5 0 0 0 1.5-1.5v-3" />`,
  ),
  closer: icon(svg`<path d="M12 6v12M6 12h12" />`),
  farther: icon(svg`<path d="M6 12h12" />`),
  smooth: icon(
    svg`<path d="M12 5c4.6 0 7 2.2 7 6.4 0 4.6-2.6 7.6-7 7.6s-7-2.6-7-7.2C5 7.4 7.6 5 12 5Z" />`,
  ),
  crisp:
    icon(svg`<rect x="5" y="5" width="5.6" height="5.6" rx="1.3" /><rect x="13.4" y="5" width="5.6" height="5.6" rx="1.3" />
    <rect x="5" y="13.4" width="5.6" height="5.6" rx="1.3" /><rect x="13.4" y="13.4" width="5.6" height="5.6" rx="1.3" />`),
  cross: icon(svg`<path d="M7 4c0 8 10 8 10 16M17 4c0 8-10 8-10 16M8.2 7h7.600M8.2 17h7.6" />`),
  keys: icon(svg`<rect x="3.5" y="6.5" width="17" height="11" rx="2.5" />
    <path d="M7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8.500 14h7" />`),
  /** A download arrow. */
  keep: icon(svg`<path d="M12 4.500v10M8 10.800l4 4 4-4" /><path d="M5 18.500h14" />`),
  sound: icon(
    svg`<path d="M5 9.6v4.8h3.1l4.4 3.7V5.9L8.100 9.6Z" /><path d="M15.6 9.300a4 4 0 0 1 0 5.4M18 7a7.300 7.300 0 0 1 0 10" />`,
  ),
  silent: icon(
    svg`<path d="M5 9.6v4.8h3.1l4.4 3.7V5.9L8.100 9.6Z" /><path d="m16 10 4 4M20 10l-4 4" />`,
  ),
  /** An eye. */
  watch: icon(svg`<path d="M3 12q9-13 18 0-9 13-18 0Z" /><circle cx="12" cy="12" r="2.7" />`),
  list: icon(
    svg`<path d="M9.500 7H19M9.500 12H19M9.500 17H19M5.500 7h.01M5.500 12h.01M5.500 17h.01" />`,
  ),
  people: icon(
    svg`<circle cx="12" cy="8.5" r="3.3" /><path d="M5.5 19c.6-3.6 3-5.4 6.5-5.4s5.9 1.8 6.5 5.4" />`,
  ),
  search: icon(svg`<circle cx="10.5" cy="10.5" r="6" /><path d="m15 15 5 5" />`),
  /** A pencil. */
  draw: icon(svg`<path d="m13.5 5.5 5 5L9 20H4v-5Z" /><path d="m11 8 5 5" />`),
  /** Three creatures with a point between them. */
  map: icon(svg`<circle cx="6" cy="7" r="2" /><circle cx="18" cy="9" r="2" /><circle cx="9.5" cy="18" r="2" />
    <path d="m7.6 8.4 3.6 3M16.1 9.8l-2.8 1.5M10.1 16.1l1.4-2.8" /><circle cx="12.2" cy="12" r="1.2" fill="currentColor" stroke="none" />`),
  /** A flag. */
  report: icon(svg`<path d="M7 20V5h11l-3 4 3 4H7" />`),
  undo: along(svg`<path d="M8.5 5 4.5 9l4 4" /><path d="M4.5 9H14a5 5 0 0 1 0 10h-4" />`),
  bin: icon(svg`<path d="M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7" />`),
} as const;

export type Checkpoint = Event<'welcome'>['checkpoint'];

/** Returns a CSS declaration that fills an element's background with one gallery tile. */
export function tileStyle({ gallery, sheet }: Checkpoint, index: number): string {
  const { columns, url } = sheet;
  const rows = Math.ceil(gallery.length / columns);
  const percent = (i: number, count: number): number => (count > 1 ? (100 * i) / (count - 1) : 0);
  const x = percent(index % columns, columns);
  const y = percent(Math.floor(index / columns), rows);
  return `background: url("${encodeURI(url)}") ${x}% ${y}% / ${columns * 100}% ${rows * 100}%`;
}

export function tile(checkpoint: Checkpoint, index: number): TemplateResult {
  return html`<i class="tile" style=${tileStyle(checkpoint, index)}></i>`;
}

/**
 * Returns the gallery tile of the creature named `kind`, or a neutral picture of a seed if the
 * gallery has no such creature.
 */
export function kindTile(checkpoint: Checkpoint, kind: string): TemplateResult {
  const index = kind === '' ? -1 : checkpoint.gallery.findIndex(({ name }) => name === kind);
  return index < 0 ? html`<i class="tile nameless"></i>` : tile(checkpoint, index);
}
