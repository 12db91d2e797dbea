/**
 * Section “Gallery”: which seeds are offered to visitors, in which order, and which seeds the
 * gardener uses.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { ROOM_DEFAULTS, type RoomSettings } from '../../../shared/host/room-settings.ts';
import type { RoomSummary } from '../../../shared/host/state.ts';
import { KIND_TITLES, search } from '../../elements/gallery.ts';
import { type Checkpoint, icons, tile } from '../../elements/icons.ts';
import { kindName, number, plural } from '../../elements/text.ts';
import { roveGrid } from '../../input/keyboard.ts';
import { offered } from '../../state/browser-store.ts';
import * as ui from '../host-element.ts';
import { host } from '../host-model.ts';
import { hostIcons } from '../icons.ts';

type Curation = RoomSettings['curation'];
/** Name of a list of seeds in the setting `curation`. */
type List = keyof Curation;

const LISTS: readonly (ui.Choice<List> & { readonly about: string })[] = [
  {
    ...{ value: 'hidden', name: msg('hide') },
    about: msg(
      'Neither visitors nor the gardener can use these seeds, not even from keepsakes. The map still shows these creatures, and the map and the dice can still give very similar ones.',
    ),
  },
  {
    ...{ value: 'first', name: msg('offer first') },
    about: msg('Visitors see these seeds first, in the order in which you tap them.'),
  },
  {
    ...{ value: 'gardener', name: msg('gardener') },
    about: msg(
      'The gardener plants only these seeds. If you choose none, the gardener chooses seeds itself.',
    ),
  },
];

@customElement('gallery-section')
export class GallerySection extends ui.HostElement<Checkpoint> {
  static override styles = css`
    .lists {
      position: sticky;
      top: 0;
      z-index: 1;
      margin-inline: -6px;
      padding: 6px 6px 12px;
      background: var(--bench);
    }
    .row > :is(input, label) {
      flex: 1 1 8em;
    }
    .queue {
      gap: 6px;
      margin: 0;
      padding: 3px;
      overflow-x: auto;
    }
    .seeds {
      grid-template-columns: repeat(auto-fill, minmax(4.6em, 1fr));
      gap: 6px;
      margin-top: 14px;
    }
    .seed {
      width: 4.6em;
      aspect-ratio: 1;
      border-radius: 14px;
      background: var(--well);
      border: 1px solid transparent;
    }
    .seeds .seed {
      width: auto;
      /* When a seed gets the focus and scrolls into view, leave space for the sticky header. */
      scroll-margin-block: 7em 6em;
    }
    @media (max-width: 760px), (max-height: 520px) {
      .card {
        padding: 0;
        border: 0;
        background: none;
      }
    }
    .tile {
      width: 82%;
      aspect-ratio: 1;
    }
    .off .tile {
      opacity: 0.5;
      filter: grayscale(1);
    }
    .mark {
      padding: 0.15em;
      min-width: 1.75em;
      border-radius: 999px;
      background: oklch(0.17 0.012 225 / 0.92);
      color: var(--accent);
      font-size: 0.85em;
      font-weight: 600;
      font-style: normal;
      line-height: 1.45;
    }
    .mark svg {
      width: 1.45em;
      height: 1.45em;
    }
    .order {
      top: 3px;
      inset-inline-start: 3px;
    }
    .tended {
      top: 3px;
      inset-inline-end: 3px;
    }
    .unseen {
      bottom: 3px;
      inset-inline-end: 3px;
      color: var(--warm);
    }
  `;

  @state() private list: List = 'hidden';
  @state() private typed = '';
  @state() private kind = '';
  @query('.seeds') private readonly seeds!: HTMLElement;

  protected override load() {
    return host.api.call('gallery', { checkpoint: host.summary?.checkpoint ?? '' });
  }

  protected override section({ name }: RoomSummary): TemplateResult {
    const { curation, wholeGallery } = host.settings!;
    const { loaded: checkpoint } = this;
    const lead = msg(
      'Choose which seeds visitors are offered, and in which order. Organisms that are already growing stay in the room.',
    );
    const head = ui.sectionHead(msg(str`Gallery of “${name}”`), lead);
    if (!checkpoint) return head;
    const { gallery } = checkpoint;
    const front = offered(checkpoint, { wholeGallery });
    const all = [...new Set([...front, ...gallery.keys()])];
    const ofKind = all.filter((index) => ['', gallery[index].kind].includes(this.kind));
    const found = search(gallery, ofKind, this.typed);
    const shown = found.filter((index) => front.includes(index));
    const others = found.filter((index) => !front.includes(index));
    const seed = (index: number) => this.seed(checkpoint, curation, index, index === first);
    const first = [...shown, ...others][0];
    return html`${head} ${this.controls(checkpoint, curation, found)}
      <div class="grid seeds" role="group" aria-label=${msg('Seeds')}
        @keydown=${(event: KeyboardEvent) => roveGrid(event, this.seeds)}>
        ${shown.map(seed)}
        ${others.length > 0 ? html`<h3 class="whole part">${msg('Seeds that visitors find only by a search, or in the whole gallery')}</h3>` : nothing}
        ${others.map(seed)}
        ${found.length === 0 ? html`<p class="whole soft">${msg('Nothing here has that name.')}</p>` : nothing}
      </div>`;
  }

  private controls(checkpoint: Checkpoint, curation: Curation, found: readonly number[]) {
    const { list } = this;
    const { gallery } = checkpoint;
    const chosen = curation[list].filter((index) => gallery[index]);
    const kinds = Object.entries(KIND_TITLES)
      .filter(([kind]) => gallery.some((entry) => entry.kind === kind))
      .map(([value, title]) => ({ value, name: title() }));
    const isEmpty = Object.values(curation).every(({ length }) => length === 0);
    const all = [...new Set([...curation[list], ...found])];
    const none = curation[list].filter((index) => !found.includes(index));
    const count = plural(
      chosen.length,
      msg(str`${number(chosen.length)} seed chosen.`),
      msg(str`${number(chosen.length)} seeds chosen.`),
    );
    const button = (id: string, label: unknown, next: Partial<Curation>, isDone: boolean) =>
      html`<button class="plain" data-testid=${id} ?disabled=${isDone} @click=${() => this.changeMany(next)}>${label}</button>`;
    return html`<div class="lists">${ui.radioChips(msg('A tap on a seed'), LISTS, list, (next) => (this.list = next))}</div>
    <div class="card grid gap-12">
      <p class="small soft wide" role="status">
        ${LISTS.find(({ value }) => value === list)?.about}
        ${count}
      </p>
      ${list === 'first' && chosen.length > 0 ? this.queue(checkpoint, chosen) : nothing}
      <div class="row">
        <input class="shrinks" type="search" data-testid="search" autocomplete="off" placeholder=${msg('Search')}
          aria-label=${msg('Search seeds')} .value=${this.typed} @input=${(event: Event) => (this.typed = ui.inputValue(event))} />
        <label><span class="visually-hidden">${msg('Kinds of seeds')}</span>
          ${ui.select('kind', [{ value: '', name: msg('All kinds') }, ...kinds], this.kind, (kind) => (this.kind = kind))}</label>
        ${button('choose-all', msg('All of these'), { [list]: all }, all.length === curation[list].length)}
        ${button('choose-none', msg('None of these'), { [list]: none }, none.length === curation[list].length)}
        ${button('reset-gallery', html`${hostIcons.undo}${msg('Reset')}`, ROOM_DEFAULTS.curation, isEmpty)}
      </div>
    </div>`;
  }

  /** Renders the seeds that visitors see first, in order. Pressing a seed moves it to the front. */
  private queue(checkpoint: Checkpoint, chosen: readonly number[]): TemplateResult {
    const { gallery } = checkpoint;
    const button = (index: number): TemplateResult => {
      const move = () => this.change([...new Set([index, ...chosen])]);
      return html`<button class="seed middle relative rigid" data-testid="queued" aria-label=${msg(str`${kindName(gallery[index].name)}: move to the front`)}
        title=${msg('Move to the front')} @click=${move}>${tile(checkpoint, index)}</button>`;
    };
    return html`<div class="queue flex" role="group" aria-label=${msg('Seeds that are offered first')}>${chosen.map(button)}</div>`;
  }

  /**
   * Renders one seed.
   *
   * @param isFirst true if the Tab key reaches this seed; arrow keys reach the other seeds
   */
  private seed(checkpoint: Checkpoint, curation: Curation, index: number, isFirst: boolean) {
    const { hidden, first, gardener } = curation;
    const place = first.indexOf(index) + 1;
    const [isHidden, isTended] = [hidden.includes(index), gardener.includes(index)];
    const name = kindName(checkpoint.gallery[index].name);
    const facts = [
      isHidden && msg('hidden'),
      place > 0 && msg(str`offered as number ${number(place)}`),
      isTended && msg('used by the gardener'),
    ];
    const isChosen = curation[this.list].includes(index);
    const toggled = (): void => {
      const list = host.settings!.curation[this.list];
      const rest = list.filter((other) => other !== index);
      this.change(rest.length < list.length ? rest : [...list, index]);
    };
    return html`<button class="seed middle relative ${isHidden ? 'off' : ''}" data-testid="seed-${index}"
      title=${name} aria-label=${[name, ...facts.filter(Boolean)].join(', ')}
      aria-pressed=${isChosen} tabindex=${isFirst ? 0 : -1} @click=${toggled}>
      ${tile(checkpoint, index)}
      ${place > 0 ? html`<i class="mark over order number">${number(place)}</i>` : nothing}
      ${isTended ? html`<i class="mark over tended middle">${icons.plant}</i>` : nothing}
      ${isHidden ? html`<i class="mark over unseen middle">${hostIcons.unseen}</i>` : nothing}
    </button>`;
  }

  private change(next: number[]): void {
    void host.change({ curation: { [this.list]: next } });
  }

  /** Replaces whole lists of seeds. Shows a notice with a button that undoes the change. */
  private changeMany(curation: Partial<Curation>): void {
    const { room, settings } = host;
    const run = () => void host.change({ curation: settings!.curation }, '', room);
    const action = { label: msg('Undo'), run };
    void host.change({ curation }, { text: msg('The gallery is changed.'), action });
  }
}
