/** What has just been done, or could not be: a short word at the foot of the page, sometimes with a way back. */
import { msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../../elements/icons.ts';
import { hostStyle } from '../style.ts';

const STAY = 5_000;
/** What can be taken back, or went wrong, is there to be read in peace. */
const STAY_LONG = 14_000;
const MOST = 3;

export interface Notice {
  readonly text: string;
  readonly wrong?: boolean;
  /** A way back or on: the word on its button, and what it does. */
  readonly way?: { readonly label: string; readonly go: () => void };
}

@customElement('said-layer')
export class NoticeLayer extends LitElement {
  static override styles = [
    hostStyle,
    css`
      :host {
        position: fixed;
        z-index: 5;
        left: 12px;
        right: 12px;
        bottom: calc(var(--foot) + 14px);
        display: grid;
        justify-items: center;
        gap: 8px;
        pointer-events: none;
      }
      div {
        display: flex;
        align-items: center;
        gap: 14px;
        max-width: 44em;
        padding: 5px 8px 5px 20px;
        border-radius: 26px;
        background: oklch(0.27 0.016 222);
        border: 1px solid var(--edge);
        box-shadow: var(--shadow);
        pointer-events: auto;
        animation: come 0.2s ease-out;
      }
      .wrong {
        color: var(--ink);
        border-color: oklch(0.76 0.13 28 / 0.6);
      }
      p {
        padding: 6px 0;
      }
      .icon {
        flex: none;
      }
      @keyframes come {
        from {
          opacity: 0;
          transform: translateY(8px);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        div {
          animation: none;
        }
      }
    `,
  ];

  @state() private all: readonly (Notice & { readonly id: number })[] = [];
  private nextId = 1;

  say(said: Notice): void {
    const id = this.nextId++;
    this.all = [...this.all.filter(({ text }) => text !== said.text), { ...said, id }].slice(-MOST);
    setTimeout(() => this.drop(id), said.wrong || said.way ? STAY_LONG : STAY);
  }

  override render(): TemplateResult {
    return html`<section aria-live="polite" aria-label=${msg('What was done')} class="stack">
      ${repeat(
        this.all,
        ({ id }) => id,
        ({ id, text, wrong, way }) => html`<div class=${wrong ? 'wrong' : ''} data-testid="said">
          <p>${text}</p>
          ${
            way
              ? html`<button
                  class="link"
                  @click=${() => {
                    this.drop(id);
                    way.go();
                  }}
                >
                  ${way.label}
                </button>`
              : nothing
          }
          <button class="icon" aria-label=${msg('Close this message')} @click=${() => this.drop(id)}>
            ${icons.close}
          </button>
        </div>`,
      )}
    </section>`;
  }

  private drop(id: number): void {
    this.all = this.all.filter((said) => said.id !== id);
  }
}
