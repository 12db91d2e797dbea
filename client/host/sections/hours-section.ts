/**
 * Section “Hours”: the opening hours, what happens to rooms outside the opening hours, and the
 * nightly restart.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import {
  closesNextDay,
  MAX_EXCEPTIONS,
  type Schedule,
} from '../../../shared/host/opening-hours.ts';
import type { HostState } from '../../../shared/host/state.ts';
import * as ui from '../host-element.ts';
import { type HoursDraft, host, withDraft } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import * as texts from '../text.ts';

const TYPICAL_DAY = { from: '10:00', to: '17:00' };
const TYPICAL_RESTART = '04:00';

/** Section “Hours”. Changes are sent to the server when the host presses the save button. */
@customElement('hours-section')
export class HoursSection extends ui.HostElement {
  static override styles = css`
    .day {
      grid-template-columns: 8em 4.2em minmax(0, 1fr);
      gap: 6px 16px;
      min-height: 3.6em;
    }
    .day:first-of-type {
      border-top: 0;
    }
    .dates {
      grid-template-columns: auto auto minmax(0, 1fr) auto;
    }
    @media (max-width: 1000px) {
      .day.dates {
        grid-template-columns: auto minmax(0, 1fr) auto;
        padding: 10px 0;
      }
      .dates .times:first-child {
        grid-column: 1 / -1;
      }
    }
    .times {
      flex-wrap: wrap;
      gap: 4px 10px;
    }
    .strip {
      margin-inline-start: 10px;
      width: 7em;
    }
    .save {
      position: sticky;
      bottom: calc(var(--foot) + 10px);
      background: oklch(0.25 0.03 180 / 0.97);
      border-color: oklch(0.89 0.075 168 / 0.4);
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
      /* On a phone, place the button that removes an entry beside the entry's switch. */
      .dates .icon {
        grid-column: 3;
        order: 1;
      }
      .dates .times:not(:first-child) {
        order: 2;
      }
    }
  `;

  override render(): TemplateResult | typeof nothing {
    const { state: all } = host;
    if (!all) return nothing;
    const schedule = withDraft(all.schedule, host.hoursDraft);
    const useHours = ui.checkbox(schedule.on, (on) => change({ on }), { testId: 'hours-on' });
    const isChanged = JSON.stringify(schedule) !== JSON.stringify(all.schedule);
    const lead = msg(
      str`These hours apply to all rooms. Times follow the server’s clock, which now shows ${texts.clock(all.now, all.zone)}.`,
    );
    return html`${ui.sectionHead(msg('Hours'), html`${lead} ${nextChange(all)}`)}
      <form class="grid gap-14" @submit=${(event: SubmitEvent) => save(event, schedule)}>
        <section class="card" aria-label=${msg('Opening hours')}>
          ${ui.switchRow(html`<h3>${msg('Use opening hours')}</h3>`, msg('If off, the rooms are open day and night.'), useHours)}
          ${schedule.on ? week(schedule.days) : nothing}
        </section>
        ${schedule.on ? [exceptionsCard(schedule), outsideCard(schedule)] : nothing}
        ${restartCard(schedule, all.supervised)}
        ${isChanged ? unsaved() : nothing}
      </form>`;
  }
}

function unsaved(): TemplateResult {
  return html`<div class="save pill row">
    <p class="grow" role="status">${msg('Not saved yet.')}</p>
    <button type="button" class="quiet" @click=${() => host.draftHours(undefined)}>${msg('Cancel')}</button>
    <button class="solid" data-testid="keep-hours" ?disabled=${host.busy.has('hours')}>${msg('Save hours')}</button>
  </div>`;
}

function nextChange({ next }: HostState): string {
  if (!next) return '';
  const at = host.moment(next.at);
  if (next.what === 'restart') return msg(str`Restarts ${at}.`);
  return next.what === 'open' ? msg(str`Opens ${at}.`) : msg(str`Closes ${at}.`);
}

type Days = Schedule['days'];
type HoursException = Schedule['exceptions'][number];

/** Returns the opening hours that a closed day gets when the host opens it. */
const typicalDay = (days: Days) => days.find((day) => day !== null) ?? TYPICAL_DAY;

function change(change: HoursDraft): void {
  host.draftHours({ ...host.hoursDraft, ...change });
}

/**
 * Changes the opening hours of some weekdays in the draft.
 *
 * @param days hours by weekday; 0 is Monday
 */
function changeDays(days: HoursDraft['days']): void {
  change({ days: { ...host.hoursDraft?.days, ...days } });
}

async function save(event: SubmitEvent, schedule: Schedule): Promise<void> {
  event.preventDefault();
  const { hoursDraft: sent } = host;
  // Without a draft, there is nothing to save. The save button is hidden then, but the Enter key
  // still submits the form.
  if (!sent) return;
  const done = msg('The hours are saved.');
  const saved = await host.do('setSchedule', { ...schedule }, { done, busy: 'hours' });
  // Discard the draft, unless the host has changed it during the call: the new changes are not
  // saved yet.
  if (saved && host.hoursDraft === sent) host.draftHours(undefined);
}

function week(days: Days): TemplateResult {
  const useMonday = (): void => {
    const hours = days[0] ?? typicalDay(days);
    changeDays(Object.fromEntries(days.flatMap((day, i) => (day ? [[i, hours]] : []))));
  };
  return html`<div class="mt-14">
    ${texts.DAY_NAMES.map((name, i) => dayRow(name, i, days))}
    <button type="button" class="link mt-14" @click=${useMonday}>${msg('Use Monday’s hours for every open day')}</button>
  </div>`;
}

function dayRow(name: string, index: number, days: Days): TemplateResult {
  const hours = days[index] ?? null;
  const set = (day: Days[number]): void => changeDays({ [index]: day });
  const drawn = hours && strip(hours, days[(index + 6) % 7] ?? null);
  return html`<div class="day grid centre lined" role="group" aria-label=${name}>
    <span>${name}</span>
    ${hoursFields([name, hours, drawn], typicalDay(days), set)}
  </div>`;
}

/**
 * Renders the fields for the opening hours of one day, or of several days with the same hours.
 *
 * @param entry `name`: name of the day or days; `hours`: null if closed; `drawn`: optional drawing
 *   of the hours
 * @param typical hours that a closed day gets when the host opens it
 */
function hoursFields(
  [name, hours, drawn]: readonly [string, Days[number], (TemplateResult | null)?],
  typical: NonNullable<Days[number]>,
  set: (hours: Days[number]) => void,
): TemplateResult {
  const label = msg(str`${name}: open`);
  const isOpen = ui.checkbox(hours !== null, (on) => set(on ? typical : null), { label });
  if (!hours) return html`${isOpen} <span class="soft">${msg('closed')}</span>`;
  const isLate = closesNextDay(hours) && hours.to !== '00:00';
  return html`${isOpen}
    <div class="times flex">
      <label>${timeField(msg(str`${name}: opens`), hours.from, (from) => set({ ...hours, from }))}</label>
      <span aria-hidden="true">–</span>
      <label>${timeField(msg(str`${name}: closes`), hours.to, (to) => set({ ...hours, to }))}</label>
      ${drawn} ${isLate ? html`<span class="soft">${msg('the next day')}</span>` : nothing}
    </div>`;
}

function exceptionsCard({ exceptions, days }: Schedule): TemplateResult {
  const put = (list: Schedule['exceptions']): void => change({ exceptions: list });
  const add = (): void => {
    const { now = 0, zone = 'UTC' } = host.state ?? {};
    const tomorrow = new Date(texts.localTime(now, zone) + 86_400_000).toISOString().slice(0, 10);
    put([...exceptions, { first: tomorrow, last: tomorrow, hours: null }]);
  };
  const row = ({ first, last, hours }: HoursException, index: number): TemplateResult => {
    const name = first === last ? first : `${first} – ${last}`;
    const set = (more: Partial<HoursException>): void =>
      put(exceptions.map((one, i) => (i === index ? { ...one, ...more } : one)));
    const remove = (): void => put(exceptions.filter((_, i) => i !== index));
    return html`<div class="day dates grid centre lined" role="group" aria-label=${name} data-testid="exception">
      <div class="times flex">
        <label>${timeField(msg('First day'), first, (day) => set({ first: day, last: [day, last].sort()[1] }), 'date')}</label>
        <span aria-hidden="true">–</span>
        <label>${timeField(msg('Last day'), last, (day) => set({ last: day, first: [first, day].sort()[0] }), 'date')}</label>
      </div>
      ${hoursFields([name, hours], typicalDay(days), (next) => set({ hours: next }))}
      <button type="button" class="icon" title=${msg('Remove')} aria-label=${msg(str`${name}: remove`)} @click=${remove}>${hostIcons.remove}</button>
    </div>`;
  };
  return html`<section class="card" aria-label=${msg('Holidays and exceptions')}>
    <h3>${msg('Holidays and exceptions')}</h3>
    <p class="soft mt-4 mb-10">${msg('These days have their own hours. If two entries contain the same day, the lower entry applies.')}</p>
    ${exceptions.map(row)}
    <button type="button" class="plain mt-12" data-testid="add-exception" ?disabled=${exceptions.length >= MAX_EXCEPTIONS} @click=${add}>
      ${hostIcons.plus}${msg('Add days')}
    </button>
  </section>`;
}

/**
 * Draws a day's opening hours as a bar.
 *
 * @param before the previous day's hours, which may extend past midnight
 */
function strip(hours: NonNullable<Days[number]>, before: Days[number]): TemplateResult {
  const share = (time: string): string => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return `${((hour * 60 + minute) / 14.4).toFixed(1)}%`;
  };
  const bar = (from: string, to: string): TemplateResult =>
    html`<i style="--from:${share(from)};--to:${share(to)}"></i>`;
  return html`<div class="strip" aria-hidden="true">
    ${bar(hours.from, closesNextDay(hours) ? '24:00' : hours.to)}${before && closesNextDay(before) ? bar('00:00', before.to) : nothing}
  </div>`;
}

/** Renders an input for a time or a date. Calls `change` with each complete value. */
function timeField(
  label: string,
  value: string,
  change: (value: string) => void,
  type: 'time' | 'date' = 'time',
): TemplateResult {
  const changed = (event: Event): void => {
    const [typed] = ui.inputValue(event).match(/^\d\d:\d\d|^[\d-]{10,}$/) ?? [];
    if (typed) change(typed);
  };
  return html`<input type=${type} class="time" required aria-label=${label} .value=${value} @change=${changed} />`;
}

function outsideCard({ outside, farewell }: Schedule): TemplateResult {
  const radio = (value: Schedule['outside']): TemplateResult =>
    html`<input type="radio" name="outside" value=${value} .checked=${outside === value} @change=${() => change({ outside: value })} />`;
  const end = ui.checkbox(farewell, (on) => change({ farewell: on }), { testId: 'hours-farewell' });
  const title = msg('Outside opening hours');
  return html`<section class="card" aria-label=${title}>
    <h3>${title}</h3>
    <div class="options grid gap-8 mt-12" role="radiogroup" aria-label=${title}>
      ${ui.option(radio('dim'), msg('Dim the wall'), msg('The rooms keep running, and visitors can still play on their phones.'))}
      ${ui.option(radio('close'), msg('Dim the wall and close the rooms'), msg('Phones show that the room is closed. Nobody can plant or wound until it opens again.'))}
    </div>
    <div class="mt-10">
      ${ui.switchRow(html`<h3>${msg('End the day at closing time')}</h3>`, texts.farewellText(host.state), end)}
    </div>
  </section>`;
}

function restartCard({ restart }: Schedule, isSupervised: boolean): TemplateResult {
  const isOn = restart !== null;
  const about = msg(
    'Walls and phones reconnect automatically, and all organisms survive. A supervisor, such as systemd, must start the server again.',
  );
  const input = ui.checkbox(isOn, (on) => change({ restart: on ? TYPICAL_RESTART : null }));
  const setTime = (time: string): void => change({ restart: time });
  const alone = html`<p class="mt-10 wrong" role="status">${msg('This server will not restart at night, because nothing would start it again. First run the server as a service.')}</p>`;
  return html`<section class="card" aria-label=${msg('Nightly restart')}>
    ${ui.switchRow(html`<h3>${msg('Restart every night')}</h3>`, about, input)}
    ${isOn && !isSupervised ? alone : nothing}
    ${isOn ? html`<div class="mt-10 row short"><span>${msg('Time')}</span> ${timeField(msg('Restart time'), restart, setTime)}</div>` : nothing}
  </section>`;
}
