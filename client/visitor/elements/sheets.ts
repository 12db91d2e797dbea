/**
 * Two dialogs: the keyboard shortcuts, and the visitor's creatures with the latest changes to them.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { OrganismView } from '../../../shared/vocabulary.ts';
import { kindTile } from '../../elements/icons.ts';
import { formerText, organismName, stateText, survivedText } from '../../elements/text.ts';
import { BrowserStore } from '../../state/browser-store.ts';
import { changeText } from '../text.ts';
import { fire, SheetElement } from './page-element.ts';

/**
 * Dialog with all keyboard shortcuts, and a setting that limits single-letter shortcuts to the
 * canvas.
 */
@customElement('key-help')
export class KeyHelp extends SheetElement {
  static override styles = css`
    .all {
      padding: 4px 14px 10px;
    }
    dl {
      display: grid;
      grid-template-columns: auto 1fr;
      gap: 7px 18px;
      align-items: baseline;
    }
    dt {
      display: flex;
      gap: 4px;
    }
    kbd {
      direction: ltr;
      min-width: 1.9em;
      padding: 0.08em 0.45em;
      border: 1px solid oklch(0.92 0.02 210 / 0.28);
      border-radius: 6px;
      font: inherit;
      font-size: 0.93em;
      text-align: center;
    }
    label {
      gap: 10px;
      min-height: 44px;
      margin-top: 10px;
      cursor: pointer;
    }
    input {
      width: 1.2em;
      height: 1.2em;
      margin: 0;
      accent-color: var(--accent);
    }
    /* Two columns of keys in low windows; one column in narrow windows. */
    @media (min-width: 640px) and (max-height: 520px) {
      dialog {
        width: min(58em, calc(100vw - 16px));
      }
      dl {
        grid-template-columns: auto 1fr auto 1fr;
      }
    }
    @media (max-width: 299px) {
      dl {
        grid-template-columns: 1fr;
      }
    }
  `;

  private readonly setting = new BrowserStore('localStorage', 'vivarium keys');

  /**
   * Whether single-letter shortcuts work on the whole page, not only while the canvas has the
   * focus.
   */
  get everywhere(): boolean {
    return this.setting.read() !== 'canvas';
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.isOpen) return nothing;
    const content = html`<div class="all scroll">
      <dl>
        ${this.row(['P', 'G', 'D', 'L'], msg('plant, graft, damage, look'))}
        ${this.row(['S'], msg('choose a seed, with the arrow keys'))}
        ${this.row(['↑', '↓', '←', '→'], msg('move around, when the room is selected'))}
        ${this.row(['Enter'], msg('use the tool in the middle'))}
        ${this.row(['[', ']'], msg('narrower or wider strokes'))}
        ${this.row(['N', 'B'], msg('meet the next creature, or the one before'))}
        ${this.row(['M'], msg('find mine'))}
        ${this.row(['+', '−', '0'], msg('closer, farther, show all'))}
        ${this.row(['C'], msg('see the cells'))}
        ${this.row(['Esc'], msg('close, and back to the room'))}
      </dl>
      <label class="flex soft">
        <input
          type="checkbox"
          data-testid="keys-everywhere"
          .checked=${this.everywhere}
          @change=${({ target }: Event) =>
            this.setting.write((target as HTMLInputElement).checked ? 'page' : 'canvas')}
        />
        ${msg('Letter keys work everywhere on the page')}
      </label>
    </div>`;
    return this.frame('key-help', msg('Keys'), content);
  }

  private row(keys: readonly string[], text: string): TemplateResult {
    return html`<dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt>
      <dd class="soft">${text}</dd>`;
  }
}

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
