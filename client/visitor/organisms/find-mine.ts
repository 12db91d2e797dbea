/** The button that finds the visitor's own organisms; each press goes to the next one. */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { OrganismId, OrganismView } from '../../../shared/vocabulary.ts';
import { owner, visuallyHidden } from '../../style/fragments.ts';
import { fire, PageElement } from '../elements/page-element.ts';

/** Fires `find` (`detail`: OrganismView) with one of the visitor's organisms. */
@customElement('find-mine')
export class FindMine extends PageElement {
  static override styles = css`
    button {
      display: inline-flex;
      align-items: center;
      gap: 0.65em;
      padding: 0.62em;
      padding-inline: 0.85em 1.1em;
      border-radius: 999px;
      animation: fade-in 0.5s ease-out;
    }
    .who {
      position: relative;
      width: 0.62em;
      height: 0.62em;
      margin: 0.3em;
    }
    .who::after {
      content: '';
      position: absolute;
      inset: -0.3em;
      border: 1.5px solid oklch(${owner} var(--hue) / 0.7);
      border-radius: 50%;
    }
    .unseen {
      border-color: var(--warm);
    }
    .unseen .who::after {
      border: 2px solid var(--warm);
      animation: pulse 1.2s ease-in-out 8;
      --faintest: 0;
    }
    @media (max-width: 299px), (max-height: 299px) {
      span {
        ${visuallyHidden}
      }
      button {
        padding: 0.62em;
        justify-content: center;
      }
    }
  `;

  private lastFound: OrganismId = 0;

  override render(): TemplateResult | typeof nothing {
    const { unseen, model } = this.session;
    const { you, connection } = model;
    if (!you || connection !== 'live' || this.mine().length === 0) return nothing;
    return html`<button class="panel raise ${unseen ? 'unseen' : ''}" data-testid="find-mine" @click=${this.find}>
      <i class="who" style="--hue:${you.hue}"></i><span>${msg('Find mine')}</span>
    </button>`;
  }

  private mine(): OrganismView[] {
    const { you, organisms } = this.session.model;
    return [...organisms.values()].filter(({ planter }) => planter.id === you?.id);
  }

  /** Finds the one that others have affected, or the newest first, then the older ones in turn. */
  find(): void {
    const { session } = this;
    const mine = this.mine();
    const organism =
      mine.find(({ id }) => id === session.unseen) ??
      mine.filter(({ id }) => id < this.lastFound).at(-1) ??
      mine.at(-1);
    session.unseen = 0;
    this.requestUpdate();
    if (!organism) return;
    this.lastFound = organism.id;
    fire(this, 'find', organism);
  }
}
