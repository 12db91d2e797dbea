/** The parents, children and siblings of an organism, as portraits that select them. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { furtherText, organismName } from '../../elements/text.ts';
import { kinOf } from '../../room/room-model.ts';
import './organism-portrait.ts';
import { fire, PageElement } from '../elements/sheet-element.ts';

/** Most portraits per group; further relatives are only counted. */
const MAX_SHOWN = 4;

/** Fires `visit` (`detail`: OrganismView) when a relative is chosen. */
@customElement('kin-list')
export class KinList extends PageElement {
  static override styles = css`
    :host {
      display: flex;
      flex-wrap: wrap;
      gap: 10px 22px;
    }
    section {
      min-width: 0;
    }
    h3 {
      margin: 0 0 4px;
      font: inherit;
      font-size: 0.86em;
    }
    .row {
      gap: 4px;
    }
    button,
    .gone {
      flex: none;
      width: 3.2em;
      height: 3.2em;
      border-radius: 12px;
      background: oklch(0.95 0.01 210 / 0.05);
    }
    organism-portrait {
      width: 2.6em;
      height: 2.6em;
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
  `;

  @property({ attribute: false }) organism!: OrganismView;

  override render(): TemplateResult | typeof nothing {
    const { parents, children, siblings, descendants } = kinOf(
      this.organism,
      this.session.model.organisms,
    );
    if (parents.length + descendants === 0) return nothing;
    return html`${this.group('parents', msg('Parents'), parents)}
    ${this.group('children', msg('Children'), children, descendants)}
    ${this.group('siblings', msg('Siblings'), siblings)}`;
  }

  /** @param total the number of relatives, when `all` does not list every one */
  private group(
    name: string,
    title: string,
    all: readonly (OrganismView | undefined)[],
    total = all.length,
  ): TemplateResult | typeof nothing {
    if (total === 0) return nothing;
    const shown = all.slice(0, MAX_SHOWN);
    const further = total - shown.length;
    return html`<section data-testid="kin-${name}">
      <h3 class="soft">${title}</h3>
      <div class="row flex">
        ${shown.map((one) => (one ? this.relative(one) : this.removed()))}
        ${further > 0 ? html`<span class="further small soft">${furtherText(further)}</span>` : nothing}
      </div>
    </section>`;
  }

  private relative(organism: OrganismView): TemplateResult {
    const name = organismName(organism);
    return html`<button
      class="raise middle"
      title=${name}
      aria-label=${name}
      @click=${() => fire(this, 'visit', organism)}
    >
      <organism-portrait .model=${this.session.model} .organism=${organism.id}></organism-portrait>
    </button>`;
  }

  private removed(): TemplateResult {
    const text = msg('one that is gone');
    return html`<span class="gone middle" role="img" title=${text} aria-label=${text}></span>`;
  }
}
