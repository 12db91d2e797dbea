/** Pictures of seeds: tiles of the gallery's sprite sheet. */
import { html, type TemplateResult } from 'lit';
import type { Event } from '../../shared/protocol/events.ts';

type Checkpoint = Event<'welcome'>['checkpoint'];

/** CSS background that shows one gallery tile and scales with the element. */
export function tileStyle({ gallery, sheet }: Checkpoint, index: number): string {
  const { columns, url } = sheet;
  const rows = Math.ceil(gallery.length / columns);
  const percent = (i: number, count: number): number => (count > 1 ? (100 * i) / (count - 1) : 0);
  const x = percent(index % columns, columns);
  const y = percent(Math.floor(index / columns), rows);
  return `background: url("${encodeURI(url)}") ${x}% ${y}% / ${columns * 100}% ${rows * 100}%`;
}

/** The gallery tile at an index. */
export function tile(checkpoint: Checkpoint, index: number): TemplateResult {
  return html`<i class="tile" style=${tileStyle(checkpoint, index)}></i>`;
}

/** The gallery tile of a kind, or a generic seed when the gallery does not have that kind. */
export function kindTile(checkpoint: Checkpoint, kind: string): TemplateResult {
  const index = kind === '' ? -1 : checkpoint.gallery.findIndex(({ name }) => name === kind);
  return index < 0 ? html`<i class="tile nameless"></i>` : tile(checkpoint, index);
}
