import { msg } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { BrowserStore } from '../../state/browser-store.ts';
import { SheetElement } from './page-element.ts';

/**
 * Dialog with all keyboard shortcuts, and a setting that makes single-letter shortcuts work only
 * while the canvas has the focus.
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
    /* Two columns of keys in windows of little height; one column in narrow windows. */
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
