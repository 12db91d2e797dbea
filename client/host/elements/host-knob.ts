/** A numeric setting: a slider and a number field, with a button that resets it to its default. */

import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { STROKE_LIMITS } from '../../../shared/geometry.ts';
import type { RoomSettings, SettingsRequest } from '../../../shared/host/room-settings.ts';
import { number, plural } from '../../elements/text.ts';
import { hostIcons } from '../icons.ts';
import { inputValue, StyledElement } from './host-element.ts';

/** A numeric setting, as a slider and a number field. */
export interface Knob {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  readonly range: KnobRange;
  read(settings: RoomSettings): number;
  write(value: number): SettingsRequest;
}

/**
 * Minimum and maximum of the slider, its step, the maximum of the number field, and the number of
 * shown units per unit of the setting.
 */
type KnobRange = readonly [min: number, max: number, step: number, most: number, factor?: number];

/** Names of the numeric settings in `T`. */
type Numeric<T> = { [K in keyof T]-?: T[K] extends number ? K : never }[keyof T] & string;

type KnobId =
  | Numeric<RoomSettings>
  | `energy-${Numeric<RoomSettings['energy']>}`
  | `attract-${Numeric<RoomSettings['attract']>}`;

/** @param id name of the setting, prefixed with the name of its group, if any */
function knob(id: KnobId, range: KnobRange, texts: readonly [string, string, string]): Knob {
  const [name, about, unit] = texts;
  const factor = range[4] ?? 1;
  const [group, part] = id.split('-') as [keyof RoomSettings, string | undefined];
  return {
    ...{ id, range, name, about, unit },
    read: (settings) => {
      const value = settings[group] as number & Record<string, number>;
      return Number(((part ? value[part]! : value) * factor).toFixed(4));
    },
    write: (value) => ({ [group]: part ? { [part]: value / factor } : value / factor }),
  };
}

const ENERGY = msg('energy');
const { minRadius, maxRadius } = STROKE_LIMITS;

/** Settings under a heading. A group with `hasStory` shows `energyStory` below its heading. */
export const KNOB_GROUPS: readonly {
  readonly name: string;
  readonly about: string;
  readonly hasStory?: true;
  readonly knobs: readonly Knob[];
}[] = [
  {
    name: msg('The room'),
    about: msg('How fast the room runs, and how much lives in it.'),
    knobs: [
      knob(
        'tickRate',
        [1, 30, 1, 60],
        [
          msg('Speed'),
          msg('Slower is calmer, and easier on the machine.'),
          msg('steps per second'),
        ],
      ),
      knob(
        'maxOrganisms',
        [8, 512, 8, 4_096],
        [
          msg('Organisms at once'),
          msg(
            'When the room is full, one organism leaves for each new seed: first the resting ones whose planters have left.',
          ),
          msg('organisms'),
        ],
      ),
      knob(
        'capacity',
        [5, 500, 5, 20_000],
        [
          msg('Visitors at once'),
          msg('When the room is full, new visitors wait in line and get in automatically.'),
          msg('visitors'),
        ],
      ),
    ],
  },
  {
    name: msg('Life'),
    about: msg('How organisms grow, heal, rest and leave.'),
    knobs: [
      knob(
        'birth',
        [1, 6, 1, 10],
        [
          msg('Birth'),
          msg('How slowly organisms grow. At 1 they grow as fast as the room runs.'),
          msg('times slower'),
        ],
      ),
      knob(
        'healing',
        [1, 6, 1, 10],
        [
          msg('Healing'),
          msg('How slowly wounds heal. At 1 they heal as fast as the room runs.'),
          msg('times slower'),
        ],
      ),
      knob(
        'liveliness',
        [0, 50, 1, 100, 100],
        [
          msg('Liveliness'),
          msg(
            'While somebody watches, resting organisms wink, or look like a relative for a moment. 0 turns it off.',
          ),
          msg('percent of them at once'),
        ],
      ),
      knob(
        'lifetime',
        [0, 1_800, 30, 86_400],
        [
          msg('Lifetime'),
          msg(
            'While the room is more than half full, resting organisms older than this leave one by one. Their planters can keep them. 0: all stay.',
          ),
          msg('seconds'),
        ],
      ),
    ],
  },
  {
    name: msg('Planting and wounding'),
    hasStory: true,
    about: msg('Visitors have energy. Actions cost energy, and it refills over time.'),
    knobs: [
      knob(
        'energy-newcomer',
        [0, 200, 4, 1e6],
        [msg('Starting energy'), msg('What a new visitor starts with.'), ENERGY],
      ),
      knob(
        'energy-capacity',
        [10, 400, 5, 1e6],
        [msg('Maximum energy'), msg('Energy refills up to this value.'), ENERGY],
      ),
      knob(
        'energy-refillPerSecond',
        [0, 30, 0.5, 1e6],
        [msg('Refill'), msg('The faster, the busier the room gets.'), msg('energy per second')],
      ),
      knob('energy-plant', [0, 60, 1, 1e6], [msg('Cost of a seed'), '', ENERGY]),
      knob(
        'energy-damagePerCell',
        [0, 10, 0.1, 1e5, 100],
        [
          msg('Cost of a wound'),
          msg('A long stroke costs more than a short one.'),
          msg('energy per 100 cells'),
        ],
      ),
      knob(
        'energy-wake',
        [0, 10, 0.5, 1e3],
        [msg('Cost of waking'), msg('For each resting organism that a stroke wakes.'), ENERGY],
      ),
      knob(
        'maxRadius',
        [minRadius, maxRadius, 0.5, maxRadius],
        [msg('Largest wound'), msg('The widest stroke that visitors can choose.'), msg('cells')],
      ),
      knob(
        'protect',
        [0, 60, 1, 600],
        [
          msg('Protection after a wound'),
          msg('For this long, nobody can wound the same organism again. 0 turns it off.'),
          msg('seconds'),
        ],
      ),
      knob(
        'cooldown',
        [0, 60, 0.5, 600],
        [msg('Wait between seeds'), msg('For each visitor.'), msg('seconds')],
      ),
    ],
  },
];

/** Idle time after which the gardener starts. */
export const GARDENER_KNOB = knob(
  'attract-after',
  [5, 300, 5, 3_600],
  [msg('Starts after'), msg('How long no visitor has done anything.'), msg('seconds')],
);

/** Explains in one or two sentences what the energy settings mean for a visitor. */
export function energyStory({ energy, cooldown }: RoomSettings): string {
  const { newcomer, plant, refillPerSecond, capacity } = energy;
  if (plant === 0 && cooldown === 0) return msg('Visitors can plant as many seeds as they like.');
  if (plant > capacity) {
    return msg('Nobody can plant: a seed costs more energy than anyone can have.');
  }
  const refill = refillPerSecond > 0 ? plant / refillPerSecond : Number.POSITIVE_INFINITY;
  const wait = Math.max(cooldown, plant === 0 ? 0 : refill);
  const first = plant === 0 ? 1 : Math.floor(Math.min(newcomer, capacity) / plant);
  return `${firstSeeds(first)} ${laterSeeds(wait)}`;
}

function firstSeeds(first: number): string {
  if (first === 0) return msg('Visitors wait a little before their first seed.');
  return plural(
    first,
    msg(str`A visitor can plant ${number(first)} seed at the start.`),
    msg(str`A visitor can plant ${number(first)} seeds at the start.`),
  );
}

function laterSeeds(wait: number): string {
  if (!Number.isFinite(wait)) return msg('After that, none.');
  const seconds = wait < 10 ? Number(wait.toFixed(1)) : Math.round(wait);
  return plural(
    seconds,
    msg(str`After that, one every ${number(seconds)} second.`),
    msg(str`After that, one every ${number(seconds)} seconds.`),
  );
}

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
    .words {
      grid-area: words;
    }
    small {
      line-height: 1.35;
    }
    input[type='number'] {
      grid-area: field;
    }
    .slide {
      grid-area: slide;
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
      grid-area: unit;
      line-height: 1.25;
    }
    .state {
      grid-area: state;
      min-height: 1.7em;
      font-size: 0.9em;
    }
    .state .link {
      display: inline-flex;
      align-items: center;
      gap: 0.35em;
    }
    .state svg {
      width: 1.15em;
      height: 1.15em;
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

  @property({ attribute: false }) knob!: Knob;
  @property({ type: Number }) value = 0;
  @property({ type: Number }) default = 0;
  /** Whether the server has applied the last change. */
  @property() status: '' | 'pending' | 'done' = '';
  /**
   * The value while the host drags the slider, so that changes by other hosts do not move the
   * slider.
   */
  @state() private draft: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override render(): TemplateResult {
    const { knob } = this;
    const { id, name, about, unit, range } = knob;
    const [min, max, step, most] = range;
    const value = this.draft ?? this.value;
    const share = (n: number): number => Math.max(0, Math.min(1, (n - min) / (max - min)));
    return html`<div class="knob grid lined" data-testid="knob-${id}">
      <div class="words">
        <label class="name" for="slider">${name}</label>
        ${about ? html`<small id="about">${about}</small>` : nothing}
      </div>
      <div class="slide" style="--share:${share(value)};--at:${share(this.default)}">
        <input
          id="slider"
          type="range"
          min=${min}
          max=${max}
          step=${step}
          aria-describedby=${about ? 'about' : nothing}
          aria-valuetext="${value} ${unit}"
          .value=${String(value)}
          @input=${(event: Event) => this.slide(event, false)}
          @change=${(event: Event) => this.slide(event, true)}
        />
        <i class="default" aria-hidden="true"></i>
      </div>
      <input
          type="number"
          min=${min}
          max=${most}
          step=${step}
          aria-label="${name}, ${unit}"
          inputmode="decimal"
          .value=${String(value)}
          @change=${this.enter}
        />
      <span class="unit small soft">${unit}</span>
      <span class="state flex soft" aria-live="polite">${this.statusText()}</span>
    </div>`;
  }

  private statusText(): TemplateResult | string {
    if (this.status === 'pending') return msg('applying …');
    if (this.status === 'done') return html`<span class="good">${msg('applied')}</span>`;
    if (Math.abs(this.value - this.default) < 1e-6) return msg('default');
    return html`<button class="link" @click=${() => this.send(this.default)} aria-label=${msg(str`${this.knob.name}: reset to ${this.default}`)}>
      ${hostIcons.undo}${msg(str`reset to ${this.default}`)}
    </button>`;
  }

  private slide(event: Event, released: boolean): void {
    this.draft = Number(inputValue(event));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(this.draft ?? this.value), released ? 0 : KEY_DELAY_MS);
  }

  private enter(event: Event): void {
    const field = event.target as HTMLInputElement;
    const [min, , , most] = this.knob.range;
    const typed = field.valueAsNumber;
    if (!Number.isFinite(typed)) {
      field.value = String(this.value);
      return;
    }
    this.send(Math.max(Math.min(min, this.value), Math.min(most, typed)));
  }

  private send(value: number): void {
    clearTimeout(this.timer);
    this.draft = undefined;
    if (Math.abs(value - this.value) < 1e-9) return;
    this.value = value;
    this.emit('knob-change', value);
  }
}
