/** The dock: the panel at the lower edge of the page with the tools and the visitor's energy. */

import { msg } from '@lit/localize';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { STROKE_LIMITS } from '../../../shared/limits.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import type { Tool } from '../../../shared/vocabulary.ts';
import { icons } from '../../elements/icons.ts';
import { byPointer, cellsText } from '../../elements/text.ts';
import { owner, visuallyHidden } from '../../style/fragments.ts';
import { PageElement, radioGroup } from './page-element.ts';

/** Duration of the energy bar's animation after energy was spent, in ms. */
const SPEND_DURATION = 260;

const TOOLS: readonly { tool: Tool; label: () => string; keys: string }[] = [
  { tool: 'plant', label: () => msg('Plant'), keys: '1 p' },
  { tool: 'graft', label: () => msg('Graft'), keys: '2 g' },
  { tool: 'damage', label: () => msg('Damage'), keys: '3 d' },
  { tool: 'look', label: () => msg('Look'), keys: '4 l' },
];

const { minRadius } = STROKE_LIMITS;

/** A slider for the width of strokes. */
@customElement('brush-size')
export class BrushSize extends PageElement {
  static override styles = css`
    :host {
      display: grid;
      grid-template-columns: 3.4em 1fr 4.6em;
      align-items: center;
      gap: 12px;
      padding-inline: 8px 16px;
    }
    .ring {
      justify-self: center;
      border: 1.5px solid var(--warm);
    }
    @media (max-width: 299px) {
      :host {
        grid-template-columns: 1fr auto;
      }
      .ring {
        display: none;
      }
    }
    /* Style for the narrow slider in the seed tray: hide the text that says the radius. */
    :host([slim]) {
      grid-template-columns: 3.4em 1fr;
      padding-inline: 0 8px;
    }
    :host([slim]) output {
      display: none;
    }
  `;

  override render(): TemplateResult {
    const { state } = this.session;
    const { radius, widest } = state.state;
    const size = 6 + radius * 3;
    return html`<span class="ring round" style="width:${size}px;height:${size}px"></span>
      <input
        type="range"
        min=${minRadius}
        max=${widest}
        step="0.5"
        .value=${String(radius)}
        aria-label=${msg('Width of the stroke, radius in cells')}
        data-testid="radius"
        @input=${(event: InputEvent) =>
          state.setRadius((event.target as HTMLInputElement).valueAsNumber)}
      />
      <output class="soft number">${cellsText(radius)}</output>`;
  }
}

/**
 * The dock. Beside the tool buttons, shows what the selected tool needs: the seed tray, the brush
 * size or a hint.
 */
@customElement('tool-dock')
export class ToolDock extends PageElement {
  static override styles = css`
    .panel {
      gap: 10px;
      padding: 8px;
      border-radius: 24px;
      max-width: 100%;
    }
    .tools {
      position: relative;
      /*
       * Make all tools equally wide, because the energy bar's position is computed from the number
       * of tools.
       */
      grid-auto-flow: column;
      grid-auto-columns: 1fr;
      gap: 2px;
    }
    .tools button {
      gap: 3px;
      min-width: 4.9em;
      min-height: 44px;
      padding: 0.75em 0.5em 0.6em;
      border-radius: 17px;
      font-size: 0.93em;
      transition: background 0.2s, color 0.2s;
    }
    .tools button[aria-checked='true'] svg {
      color: var(--accent);
    }
    .energy {
      bottom: 4px;
      height: 2px;
      border-radius: 1px;
      overflow: hidden;
      background: oklch(0.95 0.01 210 / 0.1);
      inset-inline-start: calc((var(--at) + 0.2) * 100% / var(--tools));
      width: calc(0.6 * 100% / var(--tools));
      transition: inset-inline-start 0.2s, opacity 0.2s;
    }
    .energy div {
      height: 100%;
      transform-origin: calc(50% - 50% * var(--forward));
      background: oklch(${owner} var(--hue));
    }
    .idle {
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
      min-height: 6.9em;
      align-items: center;
    }
    p {
      padding-inline: 10px 18px;
      text-wrap: balance;
    }
    .asks {
      color: var(--warm);
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
        gap: 1px;
        padding: 0.3em 0;
      }
      .divider {
        display: none;
      }
      .context {
        flex: none;
      }
      .context:has(.asks) {
        min-height: 2.8em;
      }
    }
    /*
     * On a phone in landscape, put the tools and the seeds in one row, and hide the tools' labels.
     */
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
    @media (max-width: 399px) and (max-height: 199px), (max-width: 219px) and (max-height: 299px) {
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
    @media (max-width: 299px), (min-width: 400px) and (max-height: 520px) and (orientation: landscape) {
      .tools span {
        ${visuallyHidden}
      }
    }
    @media (max-width: 299px) {
      .context {
        min-height: 54px;
      }
    }
    /* In tiny windows, show two rows of tools, without the energy bar, which needs a single row. */
    @media (max-width: 219px) and (min-height: 300px) {
      .tools {
        grid-auto-flow: row;
        grid-template-columns: 1fr 1fr;
      }
      .energy {
        display: none;
      }
    }
  `;

  @property({ attribute: false }) energy: Event<'energy'> | undefined;
  /** Whether the room's first picture has arrived. Until then, no pictures of seeds are loaded. */
  @property({ attribute: false }) pictured = false;
  @query('.energy div') private readonly line!: HTMLElement;
  private animation: Animation | undefined;

  override render(): TemplateResult {
    const { state, canGraft } = this.session;
    const { tool } = state.state;
    const tools = TOOLS.filter((each) => each.tool !== 'graft' || canGraft);
    return html`<div class="panel flex">
      ${radioGroup({
        class: 'tools picks rigid grid',
        label: msg('Tools'),
        options: tools.map(({ tool: value, label, keys }) => ({
          ...{ value, keys, testid: `tool-${value}` },
          content: html`${icons[value]}<span>${label()}</span>`,
        })),
        selected: tool,
        choose: (chosen) => state.take(chosen),
        after: this.energyLine(tool, tools),
      })}
      <span class="divider"></span>
      <div class="context grid shrinks">${this.context(tool)}</div>
    </div>`;
  }

  /** Selects the planting tool, and moves the focus to the selected seed. */
  async focusSeeds(): Promise<void> {
    this.session.state.take('plant');
    await this.updateComplete;
    this.shadowRoot?.querySelector<HTMLElement>('seed-tray')?.focus();
  }

  /**
   * Renders the energy bar below the selected tool. The bar is invisible for the look tool, which
   * costs no energy.
   */
  private energyLine(tool: Tool, tools: typeof TOOLS): TemplateResult {
    const at = tools.findIndex((each) => each.tool === tool);
    const hue = this.session.model.you?.hue ?? 0;
    return html`<div
      aria-hidden="true"
      class="energy over ghost ${tool === 'look' ? 'idle' : ''}"
      style="--at:${at};--tools:${tools.length};--hue:${hue}"
    ><div></div></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('energy') && this.energy) this.animateTo(this.energy);
  }

  /**
   * Animates the energy bar: first to the present level, then at the refill rate until it is full.
   */
  private animateTo({ level, capacity, refillPerSecond }: Event<'energy'>): void {
    const { line } = this;
    const share = Math.min(1, level / capacity);
    const whole = line.parentElement!.clientWidth;
    const width = this.animation ? line.getBoundingClientRect().width / Math.max(1, whole) : share;
    const refill = refillPerSecond > 0 ? ((capacity - level) / refillPerSecond) * 1000 : 0;
    const duration = SPEND_DURATION + refill;
    const frame = (scale: number, offset: number) => ({
      transform: `scaleX(${scale.toFixed(4)})`,
      // A fuller bar is fainter, because energy matters only when it runs low.
      opacity: 0.3 + 0.6 * (1 - scale) ** 0.5,
      offset,
    });
    const steps = [frame(Math.min(1, width), 0), frame(share, SPEND_DURATION / duration)];
    this.animation?.cancel();
    const last = frame(refill > 0 ? 1 : share, 1);
    this.animation = line.animate([...steps, last], { duration, fill: 'forwards' });
  }

  private context(tool: Tool): TemplateResult | typeof nothing {
    if (tool === 'damage') return html`<brush-size .session=${this.session}></brush-size>`;
    if (tool === 'look') return this.advice();
    return this.pictured ? html`<seed-tray .session=${this.session}></seed-tray>` : nothing;
  }

  /** Explains what a tap does while the look tool is selected. */
  private advice(): TemplateResult {
    const { selection } = this.session.state.state;
    const text = !selection?.crossing
      ? byPointer(
          msg('Tap a creature to meet it. Drag to move around.'),
          msg('Click a creature to meet it. Drag to move around.'),
        )
      : selection.second
        ? byPointer(
            msg('Tap another creature to change the pair.'),
            msg('Click another creature to change the pair.'),
          )
        : byPointer(msg('Now tap a second creature.'), msg('Now click a second creature.'));
    return html`<p class=${selection?.crossing ? 'asks' : 'soft'} role="status">${text}</p>`;
  }
}
