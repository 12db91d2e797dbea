/**
 * State of the host's page: the session, the server's state, the selected room, the open question
 * of the dialog, and notices. All calls that change the server's state go through this module.
 */
import { msg } from '@lit/localize';
import type { TemplateResult } from 'lit';
import * as v from 'valibot';
import * as api from '../../shared/host/api.ts';
import type { Schedule } from '../../shared/host/opening-hours.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import {
  applyChange,
  type RoomSettings,
  type SettingsRequest,
} from '../../shared/host/room-settings.ts';
import {
  type HostState,
  type RoomDetail,
  type RoomSummary,
  refusal,
} from '../../shared/host/state.ts';
import { failure, moment } from './text.ts';

/**
 * The host's unsaved changes to the opening hours. Unchanged fields are absent, so that saving does
 * not overwrite other hosts' changes.
 */
export interface HoursDraft extends Partial<Omit<Schedule, 'days'>> {
  /** Hours of the changed days, by index; 0 is Monday. */
  readonly days?: Readonly<Record<number, Schedule['days'][number]>>;
}

/** Returns the schedule with a draft's changes applied. */
export function withDraft(schedule: Schedule, { days = {}, ...more }: HoursDraft = {}): Schedule {
  return {
    ...schedule,
    ...more,
    days: schedule.days.map((day, i) => (days[i] === undefined ? day : days[i])),
  };
}

/** The input of a call: the fields of its body, and the values for the placeholders in its path. */
type CallInput<N extends api.CallName> = api.CallBody<N> & Readonly<Record<string, unknown>>;

/**
 * Time limit of a call that only reads, in ms. Longer than `ANSWER_PATIENCE`, because the called
 * server may wait that long for another server.
 */
const READ_LIMIT = api.ANSWER_PATIENCE + 2_000;

/** Calls the server's host API, and holds the session's key. */
export class HostApi {
  /** Key of the session, sent with every call that changes something; '' before a login. */
  key = '';
  /**
   * Whether the host has used the page since the last call. If so, the next call extends the
   * session.
   */
  touched = false;

  /**
   * Makes one call to the server's host API.
   *
   * @throws HostRefusal if the server refuses the call
   * @throws Error if the server does not answer, or its answer does not follow the host API
   */
  async call<N extends api.CallName>(name: N, input: CallInput<N>): Promise<api.CallAnswer<N>> {
    const { method, path, answer } = api.CALLS[name];
    // Leave out values that the path contains. The body never contains the room.
    const isInPath = (key: string) => key === 'room' || new RegExp(`:${key}\\b`).test(path);
    const body = Object.fromEntries(Object.entries(input).filter(([key]) => !isInPath(key)));
    const isRead = method === 'GET';
    const { touched } = this;
    // Reset `touched` before the request. If the host uses the page during the request, the next
    // request reports this use.
    this.touched = false;
    const response = await fetch(api.pathOf(path, input as Record<string, string | number>), {
      method,
      headers: {
        ...(!isRead && { 'content-type': 'application/json', [api.KEY_HEADER]: this.key }),
        ...(touched && { [api.USED_HEADER]: '1' }),
      },
      body: isRead ? null : JSON.stringify(body),
      signal: (isRead && AbortSignal.timeout?.(READ_LIMIT)) || null,
    }).catch((error: unknown) => {
      this.touched ||= touched;
      throw error;
    });
    const content: unknown = await response.json();
    if (response.ok) return v.parse(answer, content) as api.CallAnswer<N>;
    const { reason, detail, retryAfter } = v.parse(refusal, content);
    throw new HostRefusal(reason, detail, retryAfter);
  }
}

/** Interval between two requests for the server's state, in ms. */
const POLL_MS = 2_000;
/** Interval between two requests for the server's state while the page is hidden, in ms. */
const POLL_HIDDEN_MS = 15_000;

/** How long a notice is shown, in ms. */
const SHOWN_MS = 5_000;
/** How long an error, or a notice with an action, is shown, in ms. */
const SHOWN_LONG_MS = 14_000;
const MAX_NOTICES = 3;

/** The content of a confirmation dialog. */
export interface Question {
  readonly title: string;
  readonly text?: string;
  /** Form fields of the dialog. Their values are the host's answer. */
  readonly fields?: TemplateResult;
  /** Label of the button that confirms. */
  readonly confirm: string;
  /** Whether the action is safe. If not true, the dialog marks the action as dangerous. */
  readonly harmless?: boolean;
  /** A text that the host must type before confirming. */
  readonly typed?: string;
}

/** A message about a success or a failure. */
export interface Notice {
  readonly text: string;
  readonly wrong?: boolean;
  /** A button in the notice, for example to undo the action that the notice reports. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

const isEndOfSession = ({ reason }: HostRefusal): boolean =>
  reason === 'no-session' || reason === 'wrong-key';

/** Polls the server's state while the host is signed in. */
export class HostModel {
  /** Whether the host is signed in; undefined until the server has answered the first call. */
  signedIn: boolean | undefined;
  /** Explains why the server has ended the session; '' if the server has not ended it. */
  signOutReason = '';
  /** Whether the server answered the last call. */
  reachable = true;
  state: HostState | undefined;
  detail: RoomDetail | undefined;
  /** Explains why the server refuses to send the selected room's details; '' if it sends them. */
  detailRefused = '';
  /** Unsaved changes to the opening hours, kept while the host visits other sections. */
  hoursDraft: HoursDraft | undefined;
  /**
   * Name of the selected room; '' until the server's state is known. Set it only through `select`.
   */
  room = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  /**
   * Number of refreshes started so far. A refresh ignores answers that arrive after a later refresh
   * has started.
   */
  private refreshes = 0;
  question: Question | undefined;
  private answerQuestion: ((answer: FormData | undefined) => void) | undefined;
  notices: readonly (Notice & { readonly id: number })[] = [];
  private nextNotice = 1;
  /** Names of the calls in progress (see the option `busy` of `do`). */
  readonly busy = new Set<string>();
  /** Changes of settings that the server has not confirmed yet. */
  private readonly changes = new Set<{ readonly room: string; readonly change: SettingsRequest }>();
  /** Resolves when the next change of settings may be sent. */
  private sending: Promise<unknown> = Promise.resolve();
  /** Functions that are called whenever a field of the model changes. */
  readonly listeners = new Set<() => void>();

  constructor(readonly api: Pick<HostApi, 'call' | 'key' | 'touched'> = new HostApi()) {}

  get summary(): RoomSummary | undefined {
    return this.state?.rooms.find(({ name }) => name === this.room);
  }

  /** Settings of the selected room, including changes that the server has not confirmed yet. */
  get settings(): RoomSettings | undefined {
    const { summary } = this;
    if (!summary) return undefined;
    return [...this.changes]
      .filter(({ room }) => room === this.room)
      .reduce((settings, { change }) => applyChange(settings, change), summary.settings);
  }

  /**
   * Formats a day and time in the server's time zone: 'yesterday, 23:30'.
   *
   * @param at in ms since 1970
   */
  moment(at: number): string {
    return moment(at, this.state?.now ?? 0, this.state?.zone ?? 'UTC');
  }

  /** Resumes this browser's session, if there is one. */
  async start(): Promise<void> {
    // Loading the page counts as use and extends the session.
    this.api.touched = true;
    try {
      const { key } = await this.api.call('session', {});
      await this.beginSession(key);
    } catch (error) {
      this.callFailed(error);
      this.signedIn ??= false;
      this.emitChange();
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /**
   * Signs in, which starts a session.
   *
   * @throws HostRefusal if the token is wrong, or after too many attempts
   * @throws Error if the server does not answer
   */
  async signIn(token: string): Promise<void> {
    const { key } = await this.api.call('login', { token });
    await this.beginSession(key);
  }

  /**
   * Ends the session. If the call fails, the host stays signed in and sees a notice, unless the
   * session had already ended.
   */
  async signOut(): Promise<void> {
    try {
      await this.api.call('logout', {});
      this.endSession('');
    } catch (error) {
      this.callFailed(error);
      // If the session had already ended, `callFailed` has signed the host out.
      if (!this.signedIn) return this.endSession('');
      this.show({ text: `${msg('You are still signed in.')} ${failure(error)}`, wrong: true });
    }
  }

  select(room: string): void {
    if (room === this.room) return;
    this.switchTo(room);
    this.emitChange();
    void this.refresh();
  }

  /**
   * Asks the host a question in a dialog. If another question is open, cancels that question.
   *
   * @returns the values of the dialog's fields if the host confirms; otherwise undefined
   */
  ask(question: Question): Promise<FormData | undefined> {
    this.answer(undefined);
    this.question = question;
    this.emitChange();
    return new Promise((resolve) => (this.answerQuestion = resolve));
  }

  /**
   * Closes the open question.
   *
   * @param answer the values of the dialog's fields; undefined to cancel
   */
  answer(answer: FormData | undefined): void {
    if (!this.question) return;
    this.question = undefined;
    this.answerQuestion?.(answer);
    this.emitChange();
  }

  /** Shows a notice for a few seconds. Replaces an earlier notice with the same text. */
  show(notice: Notice): void {
    const id = this.nextNotice++;
    const others = this.notices.filter(({ text }) => text !== notice.text);
    this.notices = [...others, { ...notice, id }].slice(-MAX_NOTICES);
    setTimeout(() => this.dismiss(id), notice.wrong || notice.action ? SHOWN_LONG_MS : SHOWN_MS);
    this.emitChange();
  }

  dismiss(notice: number): void {
    this.notices = this.notices.filter(({ id }) => id !== notice);
    this.emitChange();
  }

  draftHours(draft: HoursDraft | undefined): void {
    this.hoursDraft = draft;
    this.emitChange();
  }

  /**
   * Makes a call. If it succeeds, refreshes the state and shows the notice `done`. If it fails,
   * shows a notice with the reason. A call about a room uses the selected room, unless `input`
   * names another room.
   *
   * @param options `ask`: a question that the host must confirm before the call. `done`: the notice
   *   after a successful call. `busy`: a name that stays in `this.busy` during the call
   * @returns the server's answer; undefined if the host did not confirm or the call failed
   */
  async do<N extends api.CallName>(
    name: N,
    input: CallInput<N>,
    options: {
      readonly ask?: Question;
      readonly done?: Notice | string | ((answer: api.CallAnswer<N>) => Notice | string);
      readonly busy?: string;
    } = {},
  ): Promise<api.CallAnswer<N> | undefined> {
    const { room } = this;
    const { ask, done, busy } = options;
    if (ask && !(await this.ask(ask))) return undefined;
    if (busy) this.busy.add(busy);
    this.emitChange();
    try {
      const answer = await this.api.call(name, { room, ...input });
      // Refresh first, so that the page is up to date when the host reads the notice.
      await this.refresh();
      const notice = typeof done === 'function' ? done(answer) : done;
      if (notice) this.show(typeof notice === 'string' ? { text: notice } : notice);
      return answer;
    } catch (error) {
      this.callFailed(error);
      if (this.signedIn !== false) this.show({ text: failure(error), wrong: true });
      return undefined;
    } finally {
      if (busy) this.busy.delete(busy);
      this.emitChange();
    }
  }

  /**
   * Changes settings of a room. `this.settings` contains the change immediately, before the server
   * confirms it.
   */
  async change(
    change: SettingsRequest,
    done: Notice | string = '',
    room = this.room,
  ): Promise<RoomSettings | undefined> {
    const pending = { room, change };
    this.changes.add(pending);
    this.emitChange();
    // Send changes one after another, because an older change that arrives late would undo a newer
    // one. Wait at most `READ_LIMIT` for each answer.
    const answer = this.sending.then(() =>
      this.do('changeSettings', { room, ...change }, { done }),
    );
    const limit = new Promise((resolve) => setTimeout(resolve, READ_LIMIT));
    this.sending = Promise.race([answer, limit]);
    const settings = await answer;
    this.changes.delete(pending);
    this.emitChange();
    return settings;
  }

  /** Fetches the server's state and the selected room's details, and schedules the next refresh. */
  async refresh(): Promise<void> {
    if (!this.signedIn) return;
    clearTimeout(this.timer);
    const refresh = ++this.refreshes;
    try {
      const state = await this.api.call('state', {});
      if (refresh !== this.refreshes) return;
      this.state = state;
      this.reachable = true;
      if (!this.summary) this.switchTo(state.rooms[0]?.name ?? '');
      await this.refreshDetail(refresh);
      if (refresh !== this.refreshes) return;
    } catch (error) {
      this.callFailed(error);
    }
    this.emitChange();
    clearTimeout(this.timer);
    if (!this.signedIn) return;
    this.timer = setTimeout(() => this.refresh(), document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }

  /**
   * Fetches the details of the selected room. If the server refuses to send them, stores the reason
   * in `detailRefused`.
   *
   * @param refresh number of the refresh that calls this method (see `refreshes`)
   * @throws Error if the server does not answer or the session has ended
   */
  private async refreshDetail(refresh: number): Promise<void> {
    const { room } = this;
    if (!room) return;
    let detail: RoomDetail | undefined;
    let refused = '';
    try {
      detail = await this.api.call('room', { room });
    } catch (error) {
      if (!(error instanceof HostRefusal) || isEndOfSession(error)) throw error;
      refused = failure(error);
    }
    if (refresh !== this.refreshes || room !== this.room) return;
    if (this.detail && detail?.open && detail.busy !== null) {
      // During an operation on the room, such as an undo (see `busy`), the server sends these lists
      // empty. Keep the previous lists.
      const { visitors, drawings, reports } = this.detail;
      detail = { ...detail, visitors, drawings, reports };
    }
    this.detail = detail;
    this.detailRefused = refused;
  }

  private async beginSession(key: string): Promise<void> {
    this.api.key = key;
    this.signedIn = true;
    this.signOutReason = '';
    this.reachable = true;
    await this.refresh();
  }

  /** Switches to a room, and cancels an open question about the previous room. */
  private switchTo(room: string): void {
    this.room = room;
    this.detail = undefined;
    this.detailRefused = '';
    this.answer(undefined);
  }

  private endSession(reason: string): void {
    this.answer(undefined);
    this.signedIn = false;
    this.signOutReason = reason;
    this.state = undefined;
    this.detail = undefined;
    this.stop();
    this.emitChange();
  }

  private callFailed(error: unknown): void {
    if (!(error instanceof HostRefusal)) this.reachable = false;
    // If the host is not signed in, a refusal cannot mean that a session has ended.
    else if (!this.signedIn) return;
    else if (isEndOfSession(error)) {
      this.endSession(msg('Your session has ended. Please sign in again.'));
    }
  }

  private emitChange(): void {
    for (const listener of this.listeners) listener();
  }
}

export const host = new HostModel();
