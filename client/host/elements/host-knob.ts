/** A numeric setting: a slider and a number field, with a button that resets it to its default. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { hostIcons } from '../icons.ts';
import type { Knob } from '../sections/settings.ts';
import { inputValue, StyledElement } from './host-element.ts';

/** Delay between the last key press on a slider and sending its value, in ms. */
const KEY_DELAY_MS = 350;

/** Fires `knob-change` (`detail`: number). */
@customElement('host-knob')
export class HostKnob extends StyledElement {
  static override styles = css`
    .knob {
      grid-template: 'words slide field unit' auto 'words slide state state' auto / minmax(0, 15em) minmax(
          0,
          1fr
        ) 5.6em 7.4em;
      gap: 0 12px;
      align-items: center;
      padding: 11px 0;
    }
    :host(:first-of-type) .knob {
      border-top: 0;
    }
    small {
      line-height: 1.35;
    }
    .slide {
      position: relative;
      margin: 0 12px;
    }
    .default {
      position: absolute;
      inset-inline-start: calc(0.65em + var(--at) * (100% - 1.3em));
      top: calc(50% + 0.55em);
      width: 1px;
      height: 0.5em;
      background: var(--ink-soft);
      pointer-events: none;
    }
    .unit {
      line-height: 1.25;
    }
    .state {
      min-height: 1.7em;
      font-size: 0.9em;
    }
    input[type='range']::-webkit-slider-runnable-track {
      background: linear-gradient(
        calc(var(--forward) * 90deg),
        oklch(0.72 0.075 172) calc(var(--share) * 100%),
        oklch(0.95 0.01 210 / 0.2) 0
      );
    }
    @media (max-width: 760px) {
      .knob {
        grid-template:
          'words words' auto
          'slide field' auto
          'state unit' auto / minmax(0, 1fr) 5.6em;
        gap: 2px 16px;
      }
      .slide {
        margin: 0;
      }
      .unit {
        text-align: end;
        margin-inline-start: -6em;
      }
    }
  `;

  @property() name = '';
  @property() about = '';
  @property({ attribute: false }) knob!: Knob;
  /** The largest value that can be typed. */
  @property({ type: Number }) most = 0;
  @property({ type: Number }) value = 0;
  @property({ type: Number }) default = 0;
  /** Says whether the server has applied the last change; '' if nothing has changed recently. */
  @property() status = '';
  /**
   * The value while the host drags the slider, so that changes by other hosts do not move the
   * slider.
   */
  @state() private draft: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override render(): TemplateResult {
    const { name, about, most } = this;
    const { slider, unit } = this.knob;
    const [min, max, step] = slider;
    const value = this.draft ?? this.value;
    const share = (n: number): number => Math.max(0, Math.min(1, (n - min) / (max - min)));
    return html`<div class="knob grid lined">
      <div style="grid-area: words">
        <label class="name" for="slider">${name}</label>
        ${about ? html`<small id="about">${about}</small>` : nothing}
      </div>
      <div class="slide" style="grid-area: slide; --share:${share(value)};--at:${share(this.default)}">
        <input
          id="slider"
          type="range"
          min=${min}
          max=${max}
          step=${step}
          aria-describedby=${about ? 'about' : nothing}
          aria-valuetext="${value} ${unit}"
          .value=${String(value)}
          @input=${(event: Event) => this.slide(event, KEY_DELAY_MS)}
          @change=${(event: Event) => this.slide(event, 0)}
        />
        <i class="default" aria-hidden="true"></i>
      </div>
      <input
        style="grid-area: field"
        type="number"
        min=${min}
        max=${most}
        step=${step}
        aria-label="${name}, ${unit}"
        inputmode="decimal"
        .value=${String(value)}
        @change=${this.enter}
      />
      <span class="unit small soft" style="grid-area: unit">${unit}</span>
      <span class="state flex soft" style="grid-area: state" aria-live="polite">${this.statusText()}</span>
    </div>`;
  }

  private statusText(): TemplateResult | string {
    const { status, value, name, default: normal } = this;
    if (status) {
      return html`<span class=${status === msg('applied') ? 'good' : ''}>${status}</span>`;
    }
    if (Math.abs(value - normal) < 1e-6) return msg('default');
    return html`<button class="link" @click=${() => this.send(normal)} aria-label=${msg(str`${name}: reset to ${normal}`)}>
      ${hostIcons.undo}${msg(str`reset to ${normal}`)}
    </button>`;
  }

  /** @param delay time until the value is sent, in ms */
  private slide(event: Event, delay: number): void {
    this.draft = Number(inputValue(event));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(this.draft ?? this.value), delay);
  }

  private enter(event: Event): void {
    const field = event.target as HTMLInputElement;
    const [min] = this.knob.slider;
    const typed = field.valueAsNumber;
    if (Number.isFinite(typed)) {
      this.send(Math.max(Math.min(min, this.value), Math.min(this.most, typed)));
    } else field.value = String(this.value);
  }

  private send(value: number): void {
    clearTimeout(this.timer);
    this.draft = undefined;
    if (Math.abs(value - this.value) < 1e-9) return;
    this.value = value;
    this.emit('knob-change', value);
  }
}
