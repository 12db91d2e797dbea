/** Opening hours of all rooms, their state outside these hours, and the nightly restart. */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { closesNextDay, type Schedule } from '../../../shared/host/room-settings.ts';
import {
  checkbox,
  HostElement,
  inputValue,
  option,
  sectionHead,
  switchRow,
} from '../elements/host-element.ts';
import { type HoursDraft, withDraft } from '../host-model.ts';
import { clock, DAY_NAMES, farewellText } from '../text.ts';

const TYPICAL_DAY = { from: '10:00', to: '17:00' };
const TYPICAL_RESTART = '04:00';

/** Section “Hours”. Changes are sent when the host saves them. */
@customElement('hours-section')
export class HoursSection extends HostElement {
  static override styles = css`
    .day {
      grid-template-columns: 8em 4.2em minmax(0, 1fr);
      align-items: center;
      gap: 6px 16px;
      min-height: 3.6em;
    }
    .day:first-of-type {
      border-top: 0;
    }
    .times {
      flex-wrap: wrap;
      gap: 4px 10px;
    }
    .days,
    .days .link {
      margin-top: 14px;
    }
    .strip {
      position: relative;
      height: 5px;
      margin-inline-start: 10px;
      width: 7em;
      border-radius: 3px;
      background: oklch(0.95 0.01 210 / 0.1);
    }
    .strip i {
      position: absolute;
      inset-block: 0;
      inset-inline: var(--from) calc(100% - var(--to));
      border-radius: 3px;
      background: oklch(0.72 0.075 172);
    }
    .save {
      position: sticky;
      bottom: calc(var(--foot) + 10px);
      gap: 12px;
      padding: 12px 16px;
      background: oklch(0.25 0.03 180 / 0.97);
      border: 1px solid oklch(0.89 0.075 168 / 0.4);
      border-radius: 999px;
      box-shadow: var(--shadow);
    }
    .save p {
      flex: 1;
      padding-inline-start: 8px;
    }
    .options {
      margin-top: 12px;
    }
    .restart {
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
  `;

  @state() private busy = false;

  override render(): TemplateResult | typeof nothing {
    const { schedule } = this;
    const { state: all, hoursDraft } = this.host;
    if (!all || !schedule) return nothing;
    const changed = hoursDraft && JSON.stringify(schedule) !== JSON.stringify(all.schedule);
    const lead = msg(
      str`For all rooms. Times follow the server’s clock, which shows ${clock(all.now, all.zone)} now.`,
    );
    return html`${sectionHead(msg('Hours'), html`${lead} ${this.nextChange()}`)}
      <form class="grid gap-14" @submit=${this.save}>
        <section class="card" aria-label=${msg('Opening hours')}>
          ${switchRow(
            html`<h3>${msg('Use opening hours')}</h3>`,
            msg('Off: open day and night.'),
            checkbox(schedule.on, (on) => this.change({ on }), { testId: 'hours-on' }),
          )}
          ${
            schedule.on
              ? html`<div class="days">
                  ${DAY_NAMES.map((name, day) => this.day(name, day, schedule))}
                  <button type="button" class="link" @click=${this.useMondayForAll}>${msg('Use Monday’s hours for every open day')}</button>
                </div>`
              : nothing
          }
        </section>
        ${schedule.on ? this.outside(schedule) : nothing} ${this.restart(schedule)}
        ${
          changed
            ? html`<div class="save row">
                <p role="status">${msg('Not saved yet.')}</p>
                <button type="button" class="quiet" @click=${() => this.setDraft(undefined)}>${msg('Cancel')}</button>
                <button class="solid" data-testid="keep-hours" ?disabled=${this.busy}>${msg('Save hours')}</button>
              </div>`
            : nothing
        }
      </form>`;
  }

  private nextChange(): string {
    const { next } = this.host.state ?? {};
    if (!next) return '';
    const at = this.moment(next.at);
    if (next.what === 'restart') return msg(str`Restarts ${at}.`);
    return next.what === 'open' ? msg(str`Opens ${at}.`) : msg(str`Closes ${at}.`);
  }

  private day(name: string, index: number, schedule: Schedule): TemplateResult {
    const hours = schedule.days[index] ?? null;
    const before = schedule.days[(index + 6) % 7];
    const share = (time: string): string => {
      const [hour = 0, minute = 0] = time.split(':').map(Number);
      return `${((hour * 60 + minute) / 14.4).toFixed(1)}%`;
    };
    const bar = (from: string, to: string): TemplateResult =>
      html`<i style="--from:${share(from)};--to:${share(to)}"></i>`;
    const isLate = hours !== null && closesNextDay(hours);
    return html`<div class="day grid lined" role="group" aria-label=${name}>
      <span>${name}</span>
      ${checkbox(hours !== null, (on) => this.setDay(index, on ? this.typicalDay() : null), {
        label: msg(str`${name}: open`),
      })}
      ${
        hours
          ? html`<div class="times flex">
              <label>${this.time(msg(str`${name}: opens`), hours.from, (from) => this.setDay(index, { ...hours, from }))}</label>
              <span aria-hidden="true">–</span>
              <label>${this.time(msg(str`${name}: closes`), hours.to, (to) => this.setDay(index, { ...hours, to }))}</label>
              <div class="strip" aria-hidden="true">
                ${bar(hours.from, isLate ? '24:00' : hours.to)}${before && closesNextDay(before) ? bar('00:00', before.to) : nothing}
              </div>
              ${isLate && hours.to !== '00:00' ? html`<span class="soft">${msg('the next day')}</span>` : nothing}
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
        const typed = inputValue(event);
        if (/^\d\d:\d\d/.test(typed)) change(typed.slice(0, 5));
      }}
    />`;
  }

  private outside({ outside, farewell }: Schedule): TemplateResult {
    const radio = (value: Schedule['outside']): TemplateResult =>
      html`<input type="radio" name="outside" value=${value} .checked=${outside === value} @change=${() => this.change({ outside: value })} />`;
    return html`<section class="card" aria-label=${msg('Outside opening hours')}>
      <h3>${msg('Outside opening hours')}</h3>
      <div class="options grid gap-8" role="radiogroup" aria-label=${msg('Outside opening hours')}>
        ${option(radio('dim'), msg('Dim the wall'), msg('Life goes on, and visitors can still play on their phones.'))}
        ${option(radio('close'), msg('Dim the wall and close the rooms'), msg('Phones show that the room is closed. Nobody can plant or wound until it opens again.'))}
      </div>
      <div class="restart">
        ${switchRow(
          html`<h3>${msg('End the day at closing time')}</h3>`,
          farewellText(this.host.state),
          checkbox(farewell ?? false, (on) => this.change({ farewell: on }), {
            testId: 'hours-farewell',
          }),
        )}
      </div>
    </section>`;
  }

  private restart({ restart }: Schedule): TemplateResult {
    return html`<section class="card" aria-label=${msg('Nightly restart')}>
      ${switchRow(
        html`<h3>${msg('Restart every night')}</h3>`,
        msg(
          'Walls and phones reconnect by themselves, and everything stays alive. Something must start the server again, such as the systemd service.',
        ),
        checkbox(restart !== null, (on) => this.change({ restart: on ? TYPICAL_RESTART : null })),
      )}
      ${
        restart === null || this.host.state?.supervised
          ? nothing
          : html`<p class="restart wrong" role="status">${msg('Nothing would start this server again. Run it as a service first.')}</p>`
      }
      ${
        restart === null
          ? nothing
          : html`<div class="restart row"><span>${msg('Time')}</span> ${this.time(msg('Restart time'), restart, (time) => this.change({ restart: time }))}</div>`
      }
    </section>`;
  }

  private get schedule(): Schedule | undefined {
    const { state: all, hoursDraft } = this.host;
    return all && withDraft(all.schedule, hoursDraft);
  }

  private setDraft(draft: HoursDraft | undefined): void {
    this.host.hoursDraft = draft;
    this.requestUpdate();
  }

  private typicalDay(): { from: string; to: string } {
    return this.schedule?.days.find((day) => day !== null) ?? TYPICAL_DAY;
  }

  private change(change: HoursDraft): void {
    this.setDraft({ ...this.host.hoursDraft, ...change });
  }

  private setDay(index: number, hours: Schedule['days'][number]): void {
    this.change({ days: { ...this.host.hoursDraft?.days, [index]: hours } });
  }

  private useMondayForAll(): void {
    const { days = [] } = this.schedule ?? {};
    const hours = days[0] ?? this.typicalDay();
    const open = days.flatMap((day, i) => (day ? [[i, hours] as const] : []));
    this.change({ days: { ...this.host.hoursDraft?.days, ...Object.fromEntries(open) } });
  }

  private async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { schedule } = this;
    const { hoursDraft: sent } = this.host;
    if (!schedule || !sent) return;
    this.busy = true;
    const saved = await this.host.do('setSchedule', {}, schedule, msg('The hours are saved.'));
    this.busy = false;
    // Keep the draft if it changed during the call, because these changes are not saved yet.
    if (saved && this.host.hoursDraft === sent) this.setDraft(undefined);
  }
}
