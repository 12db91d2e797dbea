/** The card of the selected organism: its facts and relatives, or the cross panel. */
import { localized, msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { controls } from '../../style/controls.ts';
import { facts, roundButton } from '../../style/fragments.ts';
import { owner } from '../../style/owner.ts';
import './cross-panel.ts';
import { icons } from '../../elements/icons.ts';
import './kin-list.ts';
import {
  ageText,
  organismName,
  planterText,
  stateText,
  survivedText,
} from '../../elements/organism-text.ts';
import './organism-portrait.ts';
import { fire, PageElement } from './page-element.ts';

/** Fires `visit` for a relative and `keep` for a keepsake (`detail`: OrganismView). */
@localized()
@customElement('organism-card')
export class OrganismCard extends PageElement {
  static override styles = [
    controls,
    facts,
    css`
      /* vivarium-room sets the maximum height. */
      :host,
      .panel {
        display: flex;
        flex-direction: column;
      }
      .panel {
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
        overflow-y: auto;
        overscroll-behavior: contain;
        scrollbar-width: thin;
      }
      header {
        display: flex;
        align-items: center;
        gap: 14px;
        padding-right: 26px;
      }
      header > div {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      h2 {
        margin: 0;
        font-size: 1.22em;
        font-weight: 500;
        line-height: 1.2;
      }
      h2::first-letter {
        text-transform: uppercase;
      }
      header p {
        margin: 3px 0 0;
        color: var(--ink-soft);
        font-size: 0.93em;
      }
      organism-portrait {
        flex: none;
        width: 4.4em;
        height: 4.4em;
        margin: -0.3em;
      }
      .who {
        display: inline-block;
        width: 0.6em;
        height: 0.6em;
        border-radius: 50%;
        margin-right: 0.45em;
        background: oklch(${owner} var(--hue));
      }
      dl {
        margin-top: 16px;
        padding-top: 14px;
        border-top: 1px solid var(--line);
      }
      kin-list {
        margin-top: 14px;
      }
      footer {
        margin-top: 16px;
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      footer button {
        white-space: nowrap;
        display: inline-flex;
        align-items: center;
        gap: 8px;
      }
      .close {
        position: absolute;
        top: 4px;
        right: 4px;
        ${roundButton}
      }
      /* On a phone the card is low and sits above the dock, so that the room stays visible. */
      @media (max-width: 720px), (max-height: 520px) {
        organism-portrait {
          width: 3.6em;
          height: 3.6em;
        }
      }
      @media (max-width: 720px) {
        .panel {
          width: 100%;
          padding: 12px 14px;
        }
        dl {
          grid-template-columns: auto 1fr auto 1fr;
          gap: 0 12px;
          margin-top: 10px;
          padding-top: 9px;
          font-size: 0.93em;
        }
        kin-list,
        footer {
          margin-top: 10px;
        }
      }
      @media (max-height: 520px) {
        .panel {
          width: 24em;
          padding: 10px 14px;
        }
        dl {
          margin-top: 8px;
          padding-top: 8px;
        }
        kin-list,
        footer {
          margin-top: 8px;
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
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    const { model, state } = this.session;
    const { selection } = state.state;
    const organism = selection && model.organisms.get(selection.organism);
    if (!selection || !organism) return nothing;
    const { planter } = organism;
    return html`<section class="panel" tabindex="-1" data-testid="organism-card" aria-label=${msg('Organism')}>
      <header>
        <organism-portrait .model=${model} .organism=${organism.id}></organism-portrait>
        <div>
          <h2>${organismName(organism)}</h2>
          <p>
            <span class="who" style="--hue:${planter.hue}"></span
            >${planterText(organism, model)}
          </p>
          <p>${ageText(this.ageOf(organism))}</p>
        </div>
      </header>
      <div class="body">
        ${
          selection.crossing
            ? html`<cross-panel .session=${this.session}></cross-panel>`
            : this.facts(organism)
        }
      </div>
      <button class="close" aria-label=${msg('Close')} @click=${() => state.update({ selection: undefined })}>
        ${icons.close}
      </button>
    </section>`;
  }

  /** Focuses the card. */
  override focus(): void {
    this.shadowRoot?.querySelector('section')?.focus();
  }

  private ageOf({ born }: OrganismView): number {
    const { room, tick = born } = this.session.model;
    return (tick - born) / (room?.tickRate ?? DEFAULTS.room.tickRate);
  }

  private facts(organism: OrganismView): TemplateResult {
    return html`<dl>
        <dt>${msg('Now')}</dt>
        <dd data-testid="state">${stateText(organism)}</dd>
        <dt>${msg('Wounds')}</dt>
        <dd data-testid="survived">${survivedText(organism)}</dd>
      </dl>
      <kin-list .session=${this.session} .organism=${organism}></kin-list>
      <footer>
        <button
          class="solid"
          data-testid="cross-with"
          @click=${() =>
            this.session.state.update({
              selection: {
                organism: organism.id,
                crossing: true,
                second: 0,
                mix: 0.5,
                mutation: 0,
              },
            })}
        >
          ${icons.cross}<span>${msg('Cross with…')}</span>
        </button>
        <button
          class="quiet"
          data-testid="keep"
          @click=${() => fire(this, 'keep', organism)}
        >
          ${icons.keep}<span>${msg('Keep')}</span>
        </button>
      </footer>`;
  }
}
