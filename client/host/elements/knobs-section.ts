/** The knobs of a room, live: each turn acts at once, without a restart. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import type { RoomSettings, SettingsChange } from '../../../shared/host/settings.ts';
import { LANGUAGE_CODES, LANGUAGES, type LanguageCode } from '../../../shared/languages.ts';
import type { HostModel } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { energyStory, KNOB_GROUPS, type Knob } from '../knobs.ts';
import { hostStyle } from '../style.ts';
import './host-knob.ts';
import './reseed-card.ts';

const SHOWN = 2_500;

/** Whether a knob stands elsewhere than usual; pausing is no knob. */
function isTurned(settings: RoomSettings, usual: RoomSettings): boolean {
  const keys = Object.keys(usual) as (keyof RoomSettings)[];
  return keys.some(
    (key) => key !== 'paused' && JSON.stringify(settings[key]) !== JSON.stringify(usual[key]),
  );
}

@customElement('knobs-section')
export class KnobsSection extends LitElement {
  static override styles = [
    hostStyle,
    css`
      .card > h3 + p {
        margin: 4px 0 10px;
      }
      .story {
        margin-top: 12px;
        padding: 12px 16px;
        border-radius: 12px;
        background: oklch(0.36 0.045 175 / 0.35);
        max-width: none;
      }
      .switch {
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: 20px;
        padding: 12px 0;
        border-top: 1px solid var(--line);
        cursor: pointer;
      }
      .switch:first-of-type {
        border-top: 0;
      }
      .switch small {
        display: block;
        color: var(--ink-soft);
        font-size: 0.93em;
      }
      .name {
        font-weight: 500;
      }
      .languages {
        padding: 14px 0 2px;
        border-top: 1px solid var(--line);
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  /** The knob that was turned last, and what has become of it. */
  @state() private last: { readonly id: string; readonly applied: 'going' | 'done' } | undefined;
  /** What was asked for and is not answered yet, by knob. */
  private readonly asked = new Map<string, SettingsChange>();
  private of = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override willUpdate(): void {
    const { room } = this.host;
    if (room === this.of) return;
    this.of = room;
    this.asked.clear();
    this.last = undefined;
  }

  override render(): TemplateResult | typeof nothing {
    const { summary, state: all } = this.host;
    if (!summary || !all) return nothing;
    const { name } = summary;
    const settings: RoomSettings = Object.assign({}, summary.settings, ...this.asked.values());
    const usual = all.roomDefaults;
    const changed = isTurned(settings, usual);
    return html`<div class="head">
        <div>
          <h2>${msg(str`Knobs of “${name}”`)}</h2>
          <p class="lead">${msg('Each turn acts at once, for everybody who is there. Nothing restarts.')}</p>
        </div>
        ${
          changed
            ? html`<button class="plain" @click=${this.resetAll}>${hostIcons.undo}${msg('All back to usual')}</button>`
            : nothing
        }
      </div>
      ${keyed(name, this.cards(name, settings, usual))}`;
  }

  /** Of one room: a knob that is still in a hand when another room is shown, is that of the one before. */
  private cards(room: string, settings: RoomSettings, usual: RoomSettings): TemplateResult {
    return html`<div class="cards">
      ${KNOB_GROUPS.map(
        (group, i) => html`<section class="card" aria-label=${group.name}>
          <h3>${group.name}</h3>
          <p class="soft">${group.about}</p>
          ${group.knobs.map((knob) => this.knob(room, knob, settings, usual))}
          ${i === 1 ? html`<p class="story" data-testid="story">${energyStory(settings)}</p>` : nothing}
        </section>`,
      )}
      ${this.wall(room, settings, usual)}
      <reseed-card class="card" .host=${this.host} .version=${this.version}></reseed-card>
    </div>`;
  }

  private knob(
    room: string,
    knob: Knob,
    settings: RoomSettings,
    usual: RoomSettings,
  ): TemplateResult {
    return html`<host-knob
      .knob=${knob}
      .value=${live(knob.read(settings))}
      .usual=${knob.read(usual)}
      .applied=${this.last?.id === knob.id ? this.last.applied : ''}
      @turn=${({ detail }: CustomEvent<number>) => this.apply(room, knob.id, knob.write(detail, settings))}
    ></host-knob>`;
  }

  private wall(room: string, settings: RoomSettings, usual: RoomSettings): TemplateResult {
    const { attract, captions, names, languages } = settings;
    const after: Knob = {
      id: 'attract-after',
      name: msg('It begins after'),
      about: msg('So long nobody has done anything.'),
      unit: msg('seconds'),
      min: 5,
      max: 300,
      most: 3_600,
      step: 5,
      read: (all) => all.attract.after,
      write: (seconds, all) => ({ attract: { ...all.attract, after: seconds } }),
    };
    return html`<section class="card" aria-label=${msg('The wall and words')}>
      <h3>${msg('The wall and words')}</h3>
      <p class="soft">${msg('What the room does when nobody plays, and what is written.')}</p>
      ${this.toggle(room, 'attract', msg('A gardener when nobody plays'), msg('It plants, tends and crosses, and stops when a visitor begins.'), attract.on, (on) => ({ attract: { ...attract, on } }))}
      ${attract.on ? this.knob(room, after, settings, usual) : nothing}
      ${this.toggle(room, 'names', msg('Names of visitors'), msg('Off: everybody has a colour only.'), names, (on) => ({ names: on }))}
      ${this.toggle(room, 'captions', msg('Captions on the wall'), msg('One plain sentence, in turn in each language below.'), captions, (on) => ({ captions: on }))}
      <div class="languages"><fieldset>
        <legend>${msg('Languages')}</legend>
        <div class="chips">
          ${LANGUAGE_CODES.map(
            (language) => html`<label class="chip"
              ><input
                type="checkbox"
                .checked=${live(languages.includes(language))}
                ?disabled=${languages.length === 1 && languages.includes(language)}
                @change=${(event: Event) => this.speak(room, language, event, languages)}
              /><span lang=${language}>${LANGUAGES[language].name}</span></label
            >`,
          )}
        </div>
      </fieldset></div>
    </section>`;
  }

  private toggle(
    room: string,
    id: string,
    name: string,
    about: string,
    on: boolean,
    change: (on: boolean) => SettingsChange,
  ): TemplateResult {
    const applied =
      this.last?.id === id
        ? this.last.applied === 'done'
          ? msg('applied')
          : msg('applying …')
        : '';
    return html`<label class="switch" data-testid="knob-${id}">
      <span><span class="name">${name}</span> <span class="soft" aria-live="polite">${applied}</span><small>${about}</small></span>
      <input
        type="checkbox"
        .checked=${live(on)}
        @change=${(event: Event) => this.apply(room, id, change((event.target as HTMLInputElement).checked))}
      />
    </label>`;
  }

  private speak(
    room: string,
    language: LanguageCode,
    event: Event,
    before: readonly LanguageCode[],
  ): void {
    const on = (event.target as HTMLInputElement).checked;
    const languages = LANGUAGE_CODES.filter((each) =>
      each === language ? on : before.includes(each),
    );
    void this.apply(room, 'languages', { languages });
  }

  private async apply(room: string, id: string, change: SettingsChange): Promise<void> {
    const isShown = room === this.of;
    if (isShown) {
      clearTimeout(this.timer);
      this.last = { id, applied: 'going' };
      this.asked.set(id, change);
    }
    const settings = await this.host.do('changeSettings', { room }, change);
    if (this.asked.get(id) === change) this.asked.delete(id);
    this.requestUpdate();
    if (!isShown || room !== this.of || this.last?.id !== id) return;
    this.last = settings ? { id, applied: 'done' } : undefined;
    this.timer = setTimeout(() => {
      this.last = undefined;
    }, SHOWN);
  }

  private async resetAll(): Promise<void> {
    const { summary, state: all } = this.host;
    if (!summary || !all) return;
    const { paused: _now, ...before } = summary.settings;
    const { paused: _usual, ...usual } = all.roomDefaults;
    const parts = { room: summary.name };
    await this.host.do('changeSettings', parts, usual, () => ({
      text: msg('All knobs are back to usual.'),
      way: { label: msg('Undo'), go: () => void this.host.do('changeSettings', parts, before) },
    }));
  }
}
