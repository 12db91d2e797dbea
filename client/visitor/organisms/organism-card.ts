/**
 * The card of the selected organism: a live portrait, facts and relatives. During a cross, the
 * panel for crossing replaces the facts and the relatives.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import * as texts from '../../elements/text.ts';
import { kinOf } from '../../room/room-model.ts';
import type { Selection } from '../../state/interaction-state.ts';
import { facts } from '../../style/fragments.ts';
import {
  closeButton,
  fire,
  labelled,
  PanelElement,
  quiet,
  radioGroup,
  solid,
} from '../elements/page-element.ts';
import { heldTitle } from '../seeds/seed-tray.ts';
import { changeText } from '../text.ts';

/** Maximum number of portraits in each group of relatives. Further relatives are only counted. */
const MAX_SHOWN = 4;

/**
 * The card of the selected organism. Fires `visit` to show a relative, and `keep` to open the
 * organism's keepsake. The `detail` of both events is an OrganismView.
 */
@customElement('organism-card')
export class OrganismCard extends PanelElement {
  static override styles = css`
    ${facts}
    /* The element vivarium-room sets the card's maximum height. */
    :host,
    .panel {
      display: flex;
      flex-direction: column;
    }
    .panel {
      --step: 16px;
      --kin: 14px;
      --line-gap: 14px;
      min-height: 0;
      background: oklch(0.2 0.012 225);
      width: 22.5em;
      max-width: 100%;
      padding: 18px;
      position: relative;
    }
    .body {
      min-height: 0;
      margin: 0 -4px -4px;
      padding: 0 4px 4px;
      scrollbar-width: thin;
    }
    header {
      gap: 14px;
      padding-inline-end: 26px;
    }
    header > div {
      overflow-wrap: anywhere;
    }
    header p {
      margin: 3px 0 0;
    }
    header organism-portrait {
      width: 4.4em;
      margin: -0.3em;
    }
    dl {
      margin-top: var(--step);
      padding-top: var(--line-gap);
      border-top: 1px solid var(--line);
    }
    .affected {
      margin-top: 10px;
      color: var(--warm);
    }
    .kin {
      gap: 10px 22px;
      margin-top: var(--kin);
    }
    h3 {
      margin: 0 0 4px;
      font: inherit;
      font-size: 0.86em;
    }
    .row {
      gap: 4px;
    }
    .row button,
    .gone {
      width: 3.2em;
      height: 3.2em;
      border-radius: 12px;
      background: oklch(0.95 0.01 210 / 0.05);
    }
    .row organism-portrait {
      width: 2.6em;
    }
    .gone::after {
      content: '';
      width: 1.2em;
      height: 1.2em;
      border: 1.5px dashed var(--ink-soft);
      border-radius: 50%;
      opacity: 0.6;
    }
    .further {
      margin-inline-start: 6px;
    }
    footer {
      margin-top: var(--step);
      gap: 3px;
    }
    footer button {
      white-space: nowrap;
      display: inline-flex;
      align-items: center;
      gap: 6px;
    }
    footer .solid {
      padding-inline: 0.75em;
    }
    footer .quiet {
      padding-inline: 0.4em;
    }
    .former {
      grid-column: 2 / -1;
    }
    [data-testid='transform'] {
      max-width: 100%;
    }
    footer seed-film {
      width: 2em;
    }
    .report {
      margin-inline-start: auto;
    }
    .close {
      top: 4px;
      inset-inline-end: 4px;
    }
    /* On a phone, reduce the card's height, so that the room above it stays visible. */
    @media (max-width: 720px), (max-height: 520px) {
      header organism-portrait {
        width: 3.6em;
      }
      dl {
        grid-template-columns: auto 1fr auto 1fr;
        gap: 0 12px;
        font-size: 0.93em;
      }
    }
    @media (max-width: 720px) {
      .panel {
        --step: 10px;
        --kin: 10px;
        --line-gap: 9px;
        width: 100%;
        padding: 12px 14px;
      }
    }
    @media (max-height: 520px) {
      .panel {
        --step: 8px;
        --kin: 8px;
        --line-gap: 8px;
        width: 24em;
        padding: 10px 14px;
      }
    }
    /*
     * In a small window, the panel for crossing replaces the card's header, because the panel shows
     * the organism, too.
     */
    @media (max-width: 720px), (max-height: 520px) {
      @media (min-width: 300px) and (min-height: 300px) {
        .crossing {
          width: 100%;
          padding-block: 8px;
        }
        .crossing :is(header, .close) {
          display: none;
        }
      }
    }
    @media (max-width: 299px), (max-height: 299px) {
      .panel {
        display: block;
        width: 100%;
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .body {
        overflow: visible;
      }
      dl {
        grid-template-columns: auto 1fr;
      }
    }
    @media (max-width: 299px) {
      header organism-portrait {
        display: none;
      }
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { model, state } = this.session;
    const { selection } = state.state;
    const organism = selection && model.organisms.get(selection.organism);
    if (!selection || !organism) return nothing;
    const { planter } = organism;
    return html`<section class="panel ${selection.crossing ? 'crossing' : ''}" tabindex="-1" data-testid="organism-card" aria-label=${msg('Creature')}>
      <header class="flex">
        <organism-portrait class="rigid" .session=${this.session} .organism=${organism.id}></organism-portrait>
        <div class="shrinks">
          <h2 class="capital">${texts.organismName(organism)}</h2>
          <p class="small soft">
            <span class="who" style="--hue:${planter.hue}"></span
            >${texts.planterText(organism, model)}
          </p>
          <p class="small soft">${texts.ageText(this.ageOf(organism))}</p>
        </div>
      </header>
      <div class="body scroll">
        ${
          selection.crossing
            ? html`<cross-panel .session=${this.session}></cross-panel>`
            : this.facts(organism)
        }
      </div>
      ${closeButton(() => this.close(), 'over')}
    </section>`;
  }

  protected close(): void {
    this.session.state.update({ selection: undefined });
  }

  override focus(): void {
    this.shadowRoot?.querySelector('section')?.focus();
  }

  private ageOf({ born }: OrganismView): number {
    const { room, tick = born } = this.session.model;
    return room ? (tick - born) / room.tickRate : 0;
  }

  private facts(organism: OrganismView): TemplateResult {
    const change = this.session.affected.get(organism.id)?.[0];
    const survived = texts.survivedText(organism);
    const former = texts.formerText(organism);
    const { parts } = organism;
    return html`<dl>
        <dt>${msg('Now')}</dt>
        <dd data-testid="state">${texts.stateText(organism)}</dd>
        ${survived ? html`<dt>${msg('Wounds')}</dt><dd data-testid="survived">${survived}</dd>` : nothing}
        ${parts ? html`<dt>${msg('Parts')}</dt><dd class="former" data-testid="parts">${texts.partsText(parts, this.session.model)}</dd>` : nothing}
        ${former ? html`<dt>${msg('Before')}</dt><dd class="former" data-testid="former">${former}</dd>` : nothing}
      </dl>
      ${change ? html`<p class="affected small" data-testid="affected">${changeText(change, this.session.model)}</p>` : nothing}
      ${this.kin(organism)}
      ${this.session.watches ? nothing : this.actions(organism)}`;
  }

  private actions(organism: OrganismView): TemplateResult {
    const isMine = organism.planter.id === this.session.model.you?.id;
    const isOver = this.session.model.settings?.farewell;
    const departs = isMine && organism.phase === 'departing' && !isOver;
    return html`<footer class="wrap">
        ${departs ? solid('renew', msg('Let it stay'), () => this.session.renew(organism.id)) : nothing}
        ${(departs ? quiet : solid)(
          'cross-with',
          html`${icons.cross}<span>${msg('Cross with…')}</span>`,
          () => {
            this.session.state.startCrossing();
            // The focused button will be removed, so move the focus to the card.
            this.focus();
          },
        )}
        ${quiet('keep', html`${icons.keep}<span>${msg('Keep')}</span>`, () => fire(this, 'keep', organism))}
        ${isMine ? nothing : this.reportButton(organism)}
        ${this.ungraftButtons(organism, isMine)}
        ${this.transformButton(organism, isMine)}
      </footer>`;
  }

  /**
   * Renders the button that transforms the organism into the creature of the selected seed. Renders
   * nothing if the transform is forbidden or would have no effect.
   */
  private transformButton(organism: OrganismView, isMine: boolean) {
    const { model, previews, state } = this.session;
    const { checkpoint, settings } = model;
    const { held } = state.state;
    const isGrown = /awake|asleep/.test(organism.phase);
    const isAllowed = checkpoint?.transforms && (isMine || settings?.transformOthers);
    const title = heldTitle(this.session);
    if (!isGrown || !isAllowed || this.session.isHeld(organism)) return nothing;
    const into = html`<seed-film class="rigid" still .previews=${previews} .seed=${held}></seed-film
      ><span class="cut">${msg(str`Turn into: ${title}`)}</span>`;
    return quiet('transform', into, () => {
      this.session.transform(organism);
      // The button will disappear, so move the focus to the card.
      this.focus();
    });
  }

  /**
   * Renders up to two buttons. One takes back the visitor's last graft onto the organism. The other
   * removes all grafts by other people; only the organism's planter sees it.
   */
  private ungraftButtons(organism: OrganismView, isMine: boolean) {
    const you = this.session.model.you?.id;
    const painters = organism.parts?.flatMap(({ by }) => by?.id ?? []) ?? [];
    const button = (id: string, label: string, foreign: boolean): TemplateResult =>
      quiet(id, html`${icons.undo}<span class="cut">${label}</span>`, () => {
        this.session.ungraft(organism, foreign);
        // The button may disappear, so move the focus to the card.
        this.focus();
      });
    return [
      painters.some((id) => id === you) && !this.session.settled.has(organism.id)
        ? button('ungraft', msg('Take back my last graft'), false)
        : nothing,
      isMine && painters.some((id) => id !== you)
        ? button('ungraft-foreign', msg('Remove what others painted'), true)
        : nothing,
    ];
  }

  private reportButton(organism: OrganismView): TemplateResult {
    const face = [
      msg('Report to the host'),
      html`${icons.report}<span>${msg('Report')}</span>`,
    ] as const;
    return labelled('quiet report', face, () => this.session.report(organism), { id: 'report' });
  }

  private kin(organism: OrganismView): TemplateResult {
    const { organisms } = this.session.model;
    const { parents, children, siblings, descendants } = kinOf(organism, organisms);
    return html`<div class="kin wrap">
      ${this.relatives('parents', msg('Parents'), parents)}
      ${this.relatives('children', msg('Children'), children, descendants)}
      ${this.relatives('siblings', msg('Siblings'), siblings)}
    </div>`;
  }

  /**
   * Renders a group of relatives, such as the children.
   *
   * @param all the relatives to show as portraits; undefined stands for a dead relative
   * @param total number of relatives, with or without a portrait. The group of children also counts
   *   the children's descendants
   */
  private relatives(
    name: string,
    title: string,
    all: readonly (OrganismView | undefined)[],
    total = all.length,
  ): TemplateResult | typeof nothing {
    if (total === 0) return nothing;
    const shown = all.slice(0, MAX_SHOWN);
    const further = total - shown.length;
    return html`<section class="shrinks" data-testid="kin-${name}">
      <h3 class="soft">${title}</h3>
      <div class="row flex">
        ${shown.map((one) => (one ? this.relative(one) : this.removed()))}
        ${further > 0 ? html`<span class="further small soft">${texts.furtherText(further)}</span>` : nothing}
      </div>
    </section>`;
  }

  private relative(organism: OrganismView): TemplateResult {
    const name = texts.organismName(organism);
    const portrait = html`<organism-portrait .session=${this.session} .organism=${organism.id}></organism-portrait>`;
    return labelled('raise middle rigid', [name, portrait], () => fire(this, 'visit', organism));
  }

  private removed(): TemplateResult {
    const text = msg('one that is gone');
    return html`<span class="gone middle rigid" role="img" title=${text} aria-label=${text}></span>`;
  }
}

/** Mutation strengths that a visitor can choose for a cross, 0 to 1. */
const MUTATIONS = [0, 0.35, 0.8] as const;

@customElement('cross-panel')
export class CrossPanel extends PanelElement {
  static override styles = css`
    .family {
      grid-template-columns: 1fr auto 1fr;
      align-items: center;
      justify-items: center;
      margin-top: 12px;
    }
    organism-portrait {
      width: 4.2em;
    }
    .empty {
      width: 3.2em;
      border: 1.5px dashed var(--warm);
    }
    .child {
      position: relative;
      width: 6.6em;
      background: radial-gradient(circle at 50% 46%, oklch(0.3 0.025 185), oklch(0.15 0.01 230));
      box-shadow: inset 0 0 0 1.5px oklch(0.89 0.075 168 / 0.4);
    }
    .child.surprise {
      box-shadow: inset 0 0 0 1.5px oklch(0.86 0.08 80 / 0.55);
    }
    .child seed-film {
      inset: 13%;
    }
    .mutation {
      flex-wrap: wrap;
      gap: 0 8px;
      margin-top: 2px;
    }
    .strengths {
      gap: 2px;
    }
    .mutation button {
      min-height: 2.4em;
      padding: 0 0.6em;
      white-space: nowrap;
      border-radius: 999px;
    }
    footer {
      margin-top: 12px;
      gap: 6px;
    }
    @media (max-width: 720px), (max-height: 520px) {
      footer {
        margin-top: 4px;
      }
      .family {
        margin: 0;
      }
      .child {
        width: 5.6em;
      }
    }
    @media (max-width: 720px) and (max-height: 600px) {
      .child {
        width: 4.6em;
      }
    }
    @media (max-width: 299px) {
      .family {
        grid-template-columns: 1fr;
      }
      .strengths {
        flex-wrap: wrap;
      }
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { model, state, previews } = this.session;
    const { selection } = state.state;
    const first = selection && model.organisms.get(selection.organism);
    if (!selection || !first) return nothing;
    const second = model.organisms.get(selection.second);
    const child = second && { from: 'cross', a: first.id, b: second.id, mix: selection.mix };
    return html`<div class="family grid">
        ${this.portrait(first.id)}
        <div class="child round ${selection.mutation > 0 ? 'surprise' : ''}" data-testid="child">
          <seed-film class="over" .previews=${previews} .seed=${child}></seed-film>
        </div>
        ${second ? this.portrait(second.id) : html`<span class="empty round"></span>`}
      </div>
      ${second ? this.controls(selection) : nothing}
      <footer class="wrap spread">
        ${quiet('cancel-cross', msg('Cancel'), () => state.update({ selection: undefined }))}
        ${solid('make-seed', msg('Make a seed'), () => this.session.makeSeed(), !second)}
      </footer>`;
  }

  protected close(): void {
    this.session.state.stopCrossing();
  }

  private portrait(organism: number): TemplateResult {
    return html`<organism-portrait
      .session=${this.session}
      .organism=${organism}
    ></organism-portrait>`;
  }

  private controls(selection: Selection): TemplateResult {
    const { state } = this.session;
    const names = [msg('as they are'), msg('a little'), msg('wild')];
    return html`<input
        type="range"
        min="0"
        max="1"
        step="0.05"
        .value=${String(selection.mix)}
        aria-label=${msg('How much comes from the second parent')}
        data-testid="mix"
        @input=${(event: InputEvent) => {
          const mix = (event.target as HTMLInputElement).valueAsNumber;
          state.update({ selection: { ...selection, mix } });
        }}
      />
      <div class="mutation flex spread soft">
        <span>${msg('Surprise')}</span>
        ${radioGroup({
          class: 'strengths picks flex',
          label: msg('Surprise'),
          options: MUTATIONS.map((value, i) => ({
            value,
            testid: `mutation-${i}`,
            content: names[i],
          })),
          selected: selection.mutation,
          choose: (mutation) => state.update({ selection: { ...selection, mutation } }),
        })}
      </div>`;
  }
}
