/** The dock at the lower edge: the three tools and the controls of the selected one. */
import { localized, msg } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { Tool } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import type { RoomModel } from '../../net/room-model.ts';
import type { Previews } from '../../net/seed-previews.ts';
import type { InteractionState } from '../../state/interaction-state.ts';
import { controls } from '../../style/controls.ts';
import './energy-line.ts';
import './seed-tray.ts';
import { cellsText } from '../../elements/text.ts';

const LABELS: Readonly<Record<Tool, { label: () => string; keys: string }>> = {
  plant: { label: () => msg('Plant'), keys: '1 p' },
  damage: { label: () => msg('Damage'), keys: '2 d' },
  look: { label: () => msg('Look'), keys: '3 l' },
};

const { minRadius } = DEFAULTS.stroke;

/** Tool buttons, with the seed tray or the brush size beside them. */
@localized()
@customElement('tool-dock')
export class ToolDock extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      .panel {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 8px;
        border-radius: 24px;
        max-width: 100%;
      }
      .tools {
        position: relative;
        flex: none;
        display: grid;
        /* Equal widths, as wide as the longest label: energy-line is positioned by thirds. */
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        gap: 2px;
      }
      .tools button {
        display: grid;
        justify-items: center;
        gap: 3px;
        min-width: 4.9em;
        min-height: 44px;
        padding: 0.75em 0.5em 0.6em;
        border-radius: 17px;
        font-size: 0.93em;
        color: var(--ink-soft);
        transition: background 0.2s, color 0.2s;
      }
      .tools button[aria-checked='true'] {
        background: var(--raised);
        color: var(--ink);
      }
      .tools button[aria-checked='true'] svg {
        color: var(--accent);
      }
      energy-line {
        position: absolute;
        bottom: 4px;
        left: calc((var(--at) + 0.2) * 100% / 3);
        width: calc(0.6 * 100% / 3);
        transition: left 0.2s, opacity 0.2s;
      }
      energy-line.idle {
        opacity: 0;
      }
      @media (hover: hover) {
        .tools button:hover {
          color: var(--ink);
        }
      }
      .divider {
        align-self: stretch;
        width: 1px;
        margin: 8px 0;
        background: var(--line);
      }
      .context {
        flex: 0 1 39em;
        min-width: 0;
        min-height: 6.9em;
        display: grid;
        align-items: center;
      }
      .brush {
        display: grid;
        grid-template-columns: 3.4em 1fr 4.6em;
        align-items: center;
        gap: 12px;
        padding: 0 16px 0 8px;
      }
      .ring {
        justify-self: center;
        border: 1.5px solid var(--warm);
        border-radius: 50%;
      }
      .brush output,
      p {
        color: var(--ink-soft);
        font-variant-numeric: tabular-nums;
      }
      p {
        margin: 0;
        padding: 0 18px 0 10px;
        text-wrap: balance;
      }
      @media (max-width: 720px) {
        .panel {
          flex-direction: column-reverse;
          align-items: stretch;
          gap: 4px;
          padding: 6px 6px 8px;
        }
        .tools button {
          min-width: 0;
          grid-auto-flow: column;
          justify-content: center;
          align-items: center;
          gap: 8px;
          padding: 0.6em 0;
        }
        .divider {
          display: none;
        }
        .context {
          flex: none;
        }
      }
      /* A phone in landscape: one row, icons only. */
      @media (min-width: 400px) and (max-height: 520px) and (orientation: landscape) {
        .panel {
          flex-direction: row;
          padding: 5px;
          border-radius: 20px;
        }
        .tools button {
          min-width: 50px;
          padding: 0;
          align-content: center;
          border-radius: 15px;
        }
        .tools span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        .divider {
          display: block;
          margin: 5px 0;
        }
        .context {
          flex: 1;
          min-height: 54px;
        }
      }
      @media (min-width: 400px) and (max-width: 559px) and (max-height: 520px) and (orientation: landscape) {
        .panel {
          gap: 4px;
        }
        .tools button {
          min-width: 44px;
        }
        .divider {
          display: none;
        }
      }
      @media (max-width: 399px) and (max-height: 199px) {
        .panel {
          flex-direction: row;
          justify-content: start;
          overflow-x: auto;
          padding: 4px;
          scrollbar-width: none;
        }
        .tools button {
          width: 44px;
        }
        .context {
          flex: 1 0 11em;
        }
      }
      @media (max-width: 299px) {
        .tools span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        .context {
          min-height: 54px;
        }
        .brush {
          grid-template-columns: 1fr auto;
        }
        .ring {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) state!: InteractionState;
  @property({ attribute: false }) checkpoint: Event<'welcome'>['checkpoint'] | undefined;
  @property({ attribute: false }) model!: RoomModel;
  @property({ attribute: false }) previews!: Previews;
  @property({ attribute: false }) energy: Event<'energy'> | undefined;
  /** OKLCH hue of the visitor. */
  @property({ attribute: false }) hue = 0;
  @property({ attribute: false }) version = 0;

  override render(): TemplateResult {
    const { tool } = this.state.state;
    return html`<div class="panel">
      <div class="tools" role="radiogroup" aria-label=${msg('Tools')} @keydown=${this.arrow}>
        ${(Object.keys(LABELS) as Tool[]).map(
          (name) => html`<button
            role="radio"
            data-testid="tool-${name}"
            aria-checked=${tool === name}
            aria-keyshortcuts=${LABELS[name].keys}
            tabindex=${tool === name ? 0 : -1}
            @click=${() => this.state.take(name)}
          >
            ${icons[name]}<span>${LABELS[name].label()}</span>
          </button>`,
        )}
        ${this.energyLine(tool)}
      </div>
      <span class="divider"></span>
      <div class="context">${this.context(tool)}</div>
    </div>`;
  }

  /** Selects the planting tool and focuses the selected seed. */
  async focusSeeds(): Promise<void> {
    this.state.take('plant');
    await this.updateComplete;
    this.shadowRoot?.querySelector<HTMLElement>('seed-tray')?.focus();
  }

  /** The visitor's energy, below the selected tool; hidden for looking, which costs nothing. */
  private energyLine(tool: Tool): TemplateResult {
    const at = Object.keys(LABELS).indexOf(tool);
    return html`<energy-line
      class=${tool === 'look' ? 'idle' : ''}
      style="--at:${at}"
      .energy=${this.energy}
      .hue=${this.hue}
    ></energy-line>`;
  }

  private context(tool: Tool): TemplateResult | typeof nothing {
    if (tool === 'damage') return this.brush();
    if (tool === 'look')
      return html`<p>${msg('Tap an organism to meet it. Drag to move around.')}</p>`;
    if (!this.checkpoint) return nothing;
    return html`<seed-tray
      .model=${this.model}
      .state=${this.state}
      .previews=${this.previews}
      .version=${this.version}
    ></seed-tray>`;
  }

  private brush(): TemplateResult {
    const { radius } = this.state.state;
    const size = 6 + radius * 3;
    return html`<div class="brush">
      <span class="ring" style="width:${size}px;height:${size}px"></span>
      <input
        type="range"
        min=${minRadius}
        max=${this.state.state.widest}
        step="0.5"
        .value=${String(radius)}
        aria-label=${msg('Size of the wound, radius in cells')}
        data-testid="radius"
        @input=${(event: InputEvent) =>
          this.state.setRadius((event.target as HTMLInputElement).valueAsNumber)}
      />
      <output>${cellsText(radius)}</output>
    </div>`;
  }

  private arrow(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const tools = Object.keys(LABELS) as Tool[];
    const index = tools.indexOf(this.state.state.tool);
    const next = tools[(index + step + tools.length) % tools.length];
    this.state.take(next);
    this.shadowRoot?.querySelector<HTMLElement>(`[data-testid="tool-${next}"]`)?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
