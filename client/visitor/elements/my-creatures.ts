import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { kindTile } from '../../elements/icons.ts';
import { formerText, organismName, stateText, survivedText } from '../../elements/text.ts';
import { changeText } from '../text.ts';
import { fire, SheetElement } from './page-element.ts';

/** Maximum number of the visitor's living creatures in the list. */
const MAX_LISTED = 60;

/**
 * Dialog that lists the visitor's creatures, living and dead. Fires `visit` (`detail`:
 * OrganismView) when the visitor chooses a living creature.
 */
@customElement('my-creatures')
export class MyCreatures extends SheetElement {
  static override styles = css`
    ul {
      padding: 4px 6px 10px;
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
    }
    .change {
      margin-top: 3px;
      color: var(--warm);
    }
  `;

  override render(): TemplateResult | typeof nothing {
    if (!this.isOpen) return nothing;
    const { mine, gone } = this.session;
    const living = mine.slice(-MAX_LISTED).reverse();
    const list = html`<ul class="scroll">
      ${living.map((one) => this.living(one))} ${gone.map((one) => this.gone(one))}
    </ul>`;
    return this.frame('my-creatures', msg('My creatures'), list);
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
