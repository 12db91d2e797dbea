/** What the host's page knows and can do: who is signed in, how the rooms are, and every call with a word about its end. */
import { msg } from '@lit/localize';
import type { CallAnswer, CallBody, CallName } from '../../shared/host/api.ts';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { HostState, RoomDetail, RoomSummary } from '../../shared/host/state.ts';
import { Listeners } from '../state/listeners.ts';
import { HostApi, type Parts } from './api.ts';
import type { Question } from './elements/confirm-dialog.ts';
import type { Notice } from './elements/notice-layer.ts';
import { failure } from './text.ts';

const POLL = 2_000;
/** While the page is not seen. */
const POLL_HIDDEN = 15_000;

/** What the page around the sections does for them. */
export interface HostFeedback {
  ask(question: Question): Promise<boolean>;
  /** What is being asked is not to be answered any more. */
  withdraw(): void;
  say(said: Notice): void;
}

export class HostModel {
  readonly api = new HostApi();
  /** Whether there is a session; undefined until it is known. */
  signedIn: boolean | undefined;
  /** Why the host was signed out without wanting it; '' while she was not. */
  farewell = '';
  /** Whether the server answered last. */
  reachable = true;
  state: HostState | undefined;
  /** Of the chosen room. */
  detail: RoomDetail | undefined;
  private chosen = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** How often all has been asked for: an answer that another has overtaken is old. */
  private asked = 0;
  private readonly listeners = new Listeners<{ change: undefined }>();

  constructor(private readonly voice: HostFeedback) {}

  get room(): string {
    return this.chosen;
  }

  get summary(): RoomSummary | undefined {
    return this.state?.rooms.find(({ name }) => name === this.chosen);
  }

  onChange(listener: () => void): () => void {
    return this.listeners.on('change', listener);
  }

  /** Goes on with the session of before, if there is one. */
  async start(): Promise<void> {
    // Whoever opens the page, or loads it anew, uses it.
    this.api.touched = true;
    try {
      const { key } = await this.api.call('session', {}, {});
      await this.enter(key);
    } catch (error) {
      this.missed(error);
      this.signedIn ??= false;
      // Who has just come has not been signed out of anything.
      this.farewell = '';
      this.changed();
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** @throws HostRefusal or Unreachable */
  async signIn(token: string): Promise<void> {
    const { key } = await this.api.call('login', {}, { token });
    await this.enter(key);
  }

  async signOut(): Promise<void> {
    await this.do('logout', {}, {});
    this.leave('');
  }

  choose(room: string): void {
    if (room === this.chosen) return;
    this.turnTo(room);
    this.changed();
    void this.refresh();
  }

  ask(question: Question): Promise<boolean> {
    return this.voice.ask(question);
  }

  say(said: Notice): void {
    this.voice.say(said);
  }

  /**
   * Makes a call and says how it went. A room is among its parts, as it was when the act began: what is shown may be another by now.
   *
   * @param done what to say when it went well
   * @returns the answer; undefined when it was refused, which has been said then
   */
  async do<N extends CallName>(
    name: N,
    parts: Parts,
    body: CallBody<N>,
    done?: (answer: CallAnswer<N>) => Notice | string,
  ): Promise<CallAnswer<N> | undefined> {
    try {
      const answer = await this.api.call(name, parts, body);
      // First the page, then the word: who has read it may press the next button.
      await this.refresh();
      const said = done?.(answer);
      if (said) this.say(typeof said === 'string' ? { text: said } : said);
      return answer;
    } catch (error) {
      this.missed(error);
      if (this.signedIn !== false) this.say({ text: failure(error), wrong: true });
      this.changed();
      return undefined;
    }
  }

  /** Asks for the state of everything now. */
  async refresh(): Promise<void> {
    if (!this.signedIn) return;
    clearTimeout(this.timer);
    const turn = ++this.asked;
    try {
      const state = await this.api.call('state', {}, {});
      if (turn !== this.asked) return;
      this.state = state;
      const { rooms } = state;
      if (!rooms.some(({ name }) => name === this.chosen)) {
        this.turnTo(rooms[0]?.name ?? '');
      }
      const room = this.chosen;
      const detail = room ? await this.api.call('room', { room }, {}) : undefined;
      if (turn !== this.asked) return;
      if (room === this.chosen) this.detail = detail;
      this.reachable = true;
    } catch (error) {
      this.missed(error);
    }
    this.changed();
    clearTimeout(this.timer);
    if (this.signedIn) {
      this.timer = setTimeout(() => void this.refresh(), document.hidden ? POLL_HIDDEN : POLL);
    }
  }

  private async enter(key: string): Promise<void> {
    this.api.key = key;
    this.signedIn = true;
    this.farewell = '';
    this.reachable = true;
    await this.refresh();
  }

  /** Another room is shown: what was asked was about the one before. */
  private turnTo(room: string): void {
    this.chosen = room;
    this.detail = undefined;
    this.voice.withdraw();
  }

  private leave(farewell: string): void {
    this.voice.withdraw();
    this.signedIn = false;
    this.farewell = farewell;
    this.state = undefined;
    this.detail = undefined;
    this.stop();
    this.changed();
  }

  private missed(error: unknown): void {
    if (!(error instanceof HostRefusal)) this.reachable = false;
    else if (error.reason === 'no-session' || error.reason === 'wrong-key') {
      this.leave(msg('Your visit here is over. Please sign in again.'));
    }
  }

  private changed(): void {
    this.listeners.emit('change', undefined);
  }
}
