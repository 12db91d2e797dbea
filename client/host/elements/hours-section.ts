/** When the house is open, what happens outside these hours, and the nightly restart. */
import { msg, str } from '@lit/localize';
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Schedule } from '../../../shared/host/settings.ts';
import type { HostModel } from '../host-model.ts';
import { scheduleError } from '../hours.ts';
import { hostStyle } from '../style.ts';
import { clock, DAY_NAMES, moment } from '../text.ts';

const USUAL = { from: '10:00', to: '17:00' };
const USUAL_RESTART = '04:00';

@customElement('hours-section')
export class HoursSection extends LitElement {
  static override styles = [
    hostStyle,
    css`
      .day {
        display: grid;
        grid-template-columns: 8em 4.2em minmax(0, 1fr);
        align-items: center;
        gap: 6px 16px;
        min-height: 3.6em;
        border-top: 1px solid var(--line);
      }
      .day:first-of-type {
        border-top: 0;
      }
      .times {
        display: flex;
        align-items: center;
        gap: 10px;
        max-width: 34em;
      }
      .days {
        margin-top: 14px;
      }
      .days .link {
        margin-top: 14px;
      }
      .master {
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: 20px;
        cursor: pointer;
      }
      .master .soft {
        display: block;
      }
      .strip {
        position: relative;
        height: 5px;
        margin-left: 10px;
        flex: 1;
        min-width: 4em;
        border-radius: 3px;
        background: oklch(0.95 0.01 210 / 0.1);
      }
      .strip i {
        position: absolute;
        inset: 0 calc(100% - var(--to)) 0 var(--from);
        border-radius: 3px;
        background: oklch(0.72 0.075 172);
      }
      .save {
        position: sticky;
        bottom: calc(var(--foot) + 10px);
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
        align-items: center;
        padding: 12px 16px;
        background: oklch(0.25 0.03 180 / 0.97);
        border: 1px solid oklch(0.89 0.075 168 / 0.4);
        border-radius: 999px;
        box-shadow: var(--shadow);
      }
      .save p {
        flex: 1;
        padding-left: 8px;
      }
      .choices {
        display: grid;
        gap: 8px;
        margin-top: 12px;
      }
      .choices label {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0 14px;
        padding: 12px 14px;
        border: 1px solid var(--edge);
        border-radius: 14px;
        cursor: pointer;
      }
      .choices small {
        display: block;
        color: var(--ink-soft);
        font-size: 0.93em;
      }
      input[type='radio'] {
        width: 1.25em;
        height: 1.25em;
        margin-top: 0.1em;
        border-radius: 50%;
        border: 1.5px solid var(--ink-soft);
      }
      input[type='radio']:checked {
        border: 0.4em solid var(--accent);
      }
      .choices label:has(:checked) {
        border-color: oklch(0.89 0.075 168 / 0.5);
      }
      .restart {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 12px 20px;
        margin-top: 10px;
      }
      .restart .time {
        width: 10em;
      }
      h3 + p {
        margin-top: 4px;
      }
      @media (max-width: 560px) {
        .day {
          grid-template-columns: minmax(0, 1fr) auto;
          padding: 10px 0;
        }
        .times {
          grid-column: 1 / -1;
          max-width: none;
        }
        .times .strip {
          display: none;
        }
        .times label {
          flex: 1;
        }
        .save {
          border-radius: 20px;
        }
      }
    `,
  ];

  @property({ attribute: false }) host!: HostModel;
  @property({ attribute: false }) version = 0;
  /** What is being changed and not yet kept. */
  @state() private draft: Schedule | undefined;
  @state() private busy = false;

  override render(): TemplateResult | typeof nothing {
    const { state: all } = this.host;
    if (!all) return nothing;
    const schedule = this.draft ?? all.schedule;
    const wrong = scheduleError(schedule);
    const changed = this.draft && JSON.stringify(this.draft) !== JSON.stringify(all.schedule);
    return html`<div class="head">
        <div>
          <h2>${msg('Hours')}</h2>
          <p class="lead">${msg(str`For all rooms. Times are those of the machine’s clock, which says ${clock(all.now, all.zone)} now.`)}
            ${this.next()}</p>
        </div>
      </div>
      <form class="cards" @submit=${this.save}>
        <section class="card" aria-label=${msg('Open hours')}>
          <label class="master">
            <span><h3>${msg('Keep open hours')}</h3><span class="soft">${msg('Off: it is open day and night.')}</span></span>
            <input
              type="checkbox"
              data-testid="hours-on"
              .checked=${schedule.on}
              @change=${(event: Event) => this.change({ on: (event.target as HTMLInputElement).checked })}
            />
          </label>
          ${
            schedule.on
              ? html`<div class="days">
                  ${DAY_NAMES.map((name, day) => this.day(name, day, schedule))}
                  <button type="button" class="link" @click=${this.sameForAll}>${msg('Monday’s hours for every open day')}</button>
                </div>`
              : nothing
          }
        </section>
        ${schedule.on ? this.outside(schedule) : nothing} ${this.restart(schedule)}
        ${
          changed
            ? html`<div class="save">
                <p class=${wrong ? 'wrong' : ''} role="status">${wrong || msg('Not kept yet.')}</p>
                <button type="button" class="quiet" @click=${this.forget}>${msg('Cancel')}</button>
                <button class="solid" data-testid="keep-hours" ?disabled=${wrong !== '' || this.busy}>${msg('Keep these hours')}</button>
              </div>`
            : nothing
        }
      </form>`;
  }

  private next(): string {
    const { now = 0, zone = 0, next } = this.host.state ?? {};
    if (!next) return '';
    const at = moment(next.at, now, zone);
    if (next.what === 'restart') return msg(str`It restarts ${at}.`);
    return next.what === 'open' ? msg(str`It opens ${at}.`) : msg(str`It closes ${at}.`);
  }

  private day(name: string, index: number, schedule: Schedule): TemplateResult {
    const hours = schedule.days[index] ?? null;
    const share = (time: string): string => {
      const [hour = 0, minute = 0] = time.split(':').map(Number);
      return `${((hour * 60 + minute) / 14.4).toFixed(1)}%`;
    };
    return html`<div class="day" role="group" aria-label=${name}>
      <span>${name}</span>
      <input
        type="checkbox"
        aria-label=${msg(str`${name}: open`)}
        .checked=${hours !== null}
        @change=${(event: Event) =>
          this.setDay(index, (event.target as HTMLInputElement).checked ? this.usualDay() : null)}
      />
      ${
        hours
          ? html`<div class="times">
              <label>${this.time(msg(str`${name}: opens`), hours.from, (from) => this.setDay(index, { ...hours, from }))}</label>
              <span aria-hidden="true">–</span>
              <label>${this.time(msg(str`${name}: closes`), hours.to, (to) => this.setDay(index, { ...hours, to }))}</label>
              <div class="strip" aria-hidden="true"><i style="--from:${share(hours.from)};--to:${share(hours.to)}"></i></div>
            </div>`
          : html`<span class="soft">${msg('closed')}</span>`
      }
    </div>`;
  }

  private time(label: string, value: string, change: (value: string) => void): TemplateResult {
    return html`<input
      type="time"
      class="time"
      required
      aria-label=${label}
      .value=${value}
      @change=${(event: Event) => {
        const { value: typed } = event.target as HTMLInputElement;
        if (/^\d\d:\d\d/.test(typed)) change(typed.slice(0, 5));
      }}
    />`;
  }

  private outside({ outside }: Schedule): TemplateResult {
    const choice = (
      value: Schedule['outside'],
      name: string,
      about: string,
    ): TemplateResult => html`<label>
      <input type="radio" name="outside" value=${value} .checked=${outside === value} @change=${() => this.change({ outside: value })} />
      <span>${name}<small>${about}</small></span>
    </label>`;
    return html`<section class="card" aria-label=${msg('Outside these hours')}>
      <h3>${msg('Outside these hours')}</h3>
      <div class="choices" role="radiogroup" aria-label=${msg('Outside these hours')}>
        ${choice('dim', msg('The wall is dim'), msg('Life goes on quietly, and phones may still play.'))}
        ${choice('close', msg('The wall is dim, and phones are told that it is closed'), msg('Nobody can plant or wound until it opens again.'))}
      </div>
    </section>`;
  }

  private restart({ restart }: Schedule): TemplateResult {
    return html`<section class="card" aria-label=${msg('Nightly restart')}>
      <label class="master">
        <span
          ><h3>${msg('Restart each night')}</h3>
          <span class="soft">${msg('Walls and phones come back by themselves, and all that lives stays. It needs something that starts the server again, as the service file does.')}</span></span
        >
        <input
          type="checkbox"
          .checked=${restart !== null}
          @change=${(event: Event) =>
            this.change({
              restart: (event.target as HTMLInputElement).checked ? USUAL_RESTART : null,
            })}
        />
      </label>
      ${
        restart === null
          ? nothing
          : html`<div class="restart"><span>${msg('At')}</span> ${this.time(msg('Time of the restart'), restart, (time) => this.change({ restart: time }))}</div>`
      }
    </section>`;
  }

  private usualDay(): { from: string; to: string } {
    return (this.draft ?? this.host.state?.schedule)?.days.find((day) => day !== null) ?? USUAL;
  }

  private change(change: Partial<Schedule>): void {
    const before = this.draft ?? this.host.state?.schedule;
    if (before) this.draft = { ...before, ...change };
  }

  private setDay(index: number, hours: Schedule['days'][number]): void {
    const days = (this.draft ?? this.host.state?.schedule)?.days ?? [];
    this.change({ days: days.map((day, i) => (i === index ? hours : day)) });
  }

  private sameForAll(): void {
    const days = (this.draft ?? this.host.state?.schedule)?.days ?? [];
    const hours = days[0] ?? this.usualDay();
    this.change({ days: days.map((day) => (day ? hours : null)) });
  }

  private forget(): void {
    this.draft = undefined;
  }

  private async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!this.draft) return;
    this.busy = true;
    const kept = await this.host.do('setSchedule', {}, this.draft, () =>
      msg('The hours are kept.'),
    );
    this.busy = false;
    if (kept) this.draft = undefined;
  }
}
