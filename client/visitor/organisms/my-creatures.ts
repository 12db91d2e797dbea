/** The list of a visitor's creatures, living and gone, with what happened to them. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { kindTile } from '../../elements/icons.ts';
import { formerText, organismName, stateText, survivedText } from '../../elements/text.ts';
import { fire, SheetElement } from '../elements/page-element.ts';
import { changeText } from '../text.ts';

/** Maximum number of living creatures in the list. */
const MAX_LISTED = 60;

/** Fires `visit` (`detail`: OrganismView) when a living creature is chosen. */
@customElement('my-creatures')
export class MyCreatures extends SheetElement {
  static override styles = css`
    ul {
      margin: 0;
      padding: 4px 6px 10px;
      list-style: none;
    }
    .one {
      gap: 14px;
      width: 100%;
      padding: 8px;
      border-radius: 14px;
      text-align: start;
      overflow-wrap: anywhere;
    }
    .gone {
      opacity: 0.75;
    }
    organism-portrait,
    .tile {
      width: 3.4em;
      aspect-ratio: 1;
    }
    p {
      margin: 0;
    }
    .change {
      margin-top: 3px;
      color: var(--warm);
    }
  `;

  @state() private isOpen = false;

  async open(): Promise<void> {
    this.isOpen = true;
    await this.updateComplete;
    this.show();
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.isOpen) return nothing;
    const { mine, gone } = this.session;
    return html`<dialog
      class="panel"
      aria-labelledby="title"
      data-testid="my-creatures"
      @close=${() => {
        this.isOpen = false;
      }}
      @click=${this.clicked}
    >
      ${this.header(msg('My creatures'))}
      <ul class="scroll">
        ${mine
          .slice(-MAX_LISTED)
          .reverse()
          .map((one) => this.living(one))}
        ${gone.map((one) => this.gone(one))}
      </ul>
    </dialog>`;
  }

  private living(organism: OrganismView): TemplateResult {
    const visit = (): void => {
      this.close();
      fire(this, 'visit', organism);
    };
    return html`<li>
      <button class="one raise flex" @click=${visit}>
        <organism-portrait class="rigid" .session=${this.session} .organism=${organism.id}></organism-portrait>
        ${this.story(organism, [stateText(organism), survivedText(organism), formerText(organism)])}
      </button>
    </li>`;
  }

  private gone(organism: OrganismView): TemplateResult {
    const { checkpoint } = this.session.model;
    return html`<li class="one gone flex">
      ${checkpoint && kindTile(checkpoint, organism.kind)}
      ${this.story(organism, [msg('It is gone.'), survivedText(organism)])}
    </li>`;
  }

  private story(organism: OrganismView, facts: readonly string[]): TemplateResult {
    const { affected, model } = this.session;
    return html`<div class="shrinks">
      <p class="capital">${organismName(organism)}</p>
      <p class="small soft">${facts.filter(Boolean).join(' · ')}</p>
      ${(affected.get(organism.id) ?? []).map(
        (change) => html`<p class="change small">${changeText(change, model)}</p>`,
      )}
    </div>`;
  }
}
