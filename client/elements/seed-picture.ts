/** The picture of a seed: a tile of the gallery's sheet, two of them for a cross, or a nameless seed. */
import { html, type TemplateResult } from 'lit';
import type { Event } from '../../shared/protocol/events.ts';

type Checkpoint = Event<'welcome'>['checkpoint'];

/** Background of an element that shows one tile, whatever its size. */
export function tileStyle({ gallery, sheet }: Checkpoint, index: number): string {
  const { columns, url } = sheet;
  const rows = Math.ceil(gallery.length / columns);
  const part = (at: number, of: number): number => (of > 1 ? (100 * at) / (of - 1) : 0);
  const x = part(index % columns, columns);
  const y = part(Math.floor(index / columns), rows);
  return `background: url("${encodeURI(url)}") ${x}% ${y}% / ${columns * 100}% ${rows * 100}%`;
}

export function tile(checkpoint: Checkpoint, index: number): TemplateResult {
  return html`<i class="tile" style=${tileStyle(checkpoint, index)}></i>`;
}

/** A tile by kind name, or the nameless seed where the gallery has none. */
export function kindTile(checkpoint: Checkpoint, kind: string): TemplateResult {
  const index = kind === '' ? -1 : checkpoint.gallery.findIndex(({ name }) => name === kind);
  return index < 0 ? html`<i class="tile nameless"></i>` : tile(checkpoint, index);
}
