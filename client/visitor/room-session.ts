/** A visit to one room: the connection, the visitor's state, and what they ask of the server. */
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismView, SeedView } from '../../shared/vocabulary.ts';
import { departedText } from '../elements/organism-text.ts';
import { Feedback } from '../feedback/feedback.ts';
import { EnergyEstimate } from '../input/energy-estimate.ts';
import { Connection } from '../net/connection.ts';
import { RequestTracker } from '../net/request-tracker.ts';
import { Previews } from '../net/seed-previews.ts';
import { WishedName } from '../net/wished-name.ts';
import type { Point } from '../render/camera.ts';
import { BrowserStore } from '../state/browser-store.ts';
import { InteractionState } from '../state/interaction-state.ts';
import { approvedText, noticeText, offlineText, reasonText, wayBackText } from './refusal-text.ts';

/**
 * Reasons not shown to the visitor: a message sent before joining, and a connection that the server
 * closed after it had refused to let the visitor join.
 */
const SILENT_REASONS: ReadonlySet<Reason> = new Set(['not-joined', 'join-timeout']);

/** The page that shows a session. */
export interface SessionPage {
  /** Something that the page shows has changed. */
  refresh(): void;
  /** Tells the visitor something. @param at place on the grid that it is about */
  tell(text: string, at?: Point): void;
  /** The visitor is not let in. @param wayBack label of a button to try again, if that can help */
  refuse(text: string, wayBack: string | undefined): void;
}

/** Connects the room's model with the visitor's state. */
export class RoomSession {
  readonly roomName = location.pathname.match(/^\/r\/([a-z0-9-]+)/)?.[1] ?? 'main';
  /** The name chosen in this tab. */
  private readonly name = new BrowserStore('sessionStorage', 'vivarium name');
  readonly connection = new Connection(this.roomName, this.name.read(), {
    // Per tab: a reload is the same participant, another tab is another one.
    seat: new BrowserStore('sessionStorage', `vivarium seat ${this.roomName}`),
    mark: new BrowserStore('localStorage', 'vivarium device'),
  });
  readonly model = this.connection.model;
  readonly state = new InteractionState();
  readonly requests = new RequestTracker(this.connection.send);
  readonly previews = new Previews(this.requests.ask);
  readonly estimate = new EnergyEstimate(this.model, () => performance.now());
  readonly feedback = new Feedback(this.model);
  private readonly wishedName = new WishedName(
    this.requests.ask,
    () => this.isLive,
    (name) => {
      this.connection.name = name;
      this.name.write(name);
    },
  );
  private isFirstWelcome = true;

  constructor(private readonly page: SessionPage) {
    const { model, state, requests } = this;
    const refresh = (): void => page.refresh();
    state.onChange(refresh);
    for (const event of ['people', 'pace', 'waiting', 'energy'] as const) model.on(event, refresh);
    model.on('settings', ({ maxRadius, tokens }) => {
      state.setWidest(maxRadius);
      if (tokens || state.state.held.from !== 'token') return;
      state.throwDice(Math.random);
      page.tell(reasonText('no-tokens'));
    });
    model.on('notice', ({ notice }) => page.tell(noticeText(notice)));
    model.on('life', ({ event, organism }) => {
      const isMine = organism.planter.id === model.you?.id;
      if (event.what === 'died') {
        state.forget(organism.id);
        if (event.cause === 'departed' && isMine) page.tell(departedText(organism), organism);
      }
      if (state.state.selection || isMine) refresh();
    });
    model.on('accepted', (answer) => {
      // The host has approved a drawing that was sent before this page was reloaded.
      if (!requests.accepted(answer) && answer.seed) this.receiveDrawing(answer.seed);
    });
    model.on('rejected', (answer) => {
      if (requests.rejected(answer)) return;
      const text = reasonText(answer.reason);
      if (this.isLive) page.tell(text);
      else if (!SILENT_REASONS.has(answer.reason)) page.refuse(text, wayBackText(answer.reason));
    });
    model.on('welcome', (welcome) => this.welcomed(welcome));
    const showConnection = (): void => {
      document.documentElement.dataset.connection = model.connection;
    };
    showConnection();
    model.on('connection', () => {
      showConnection();
      this.wishedName.tell();
      refresh();
    });
  }

  get isLive(): boolean {
    return this.model.connection === 'live';
  }

  /** Highlights an organism for everybody. */
  beacon(organism: OrganismView): void {
    if (this.isOnline()) this.requests.ask('beacon', { organism: organism.id }, this.telling);
  }

  /** Asks for a seed of the selected pair. */
  makeSeed(): void {
    const { selection } = this.state.state;
    if (!selection?.second || !this.isOnline()) return;
    const { organism: a, second: b, mix, mutation } = selection;
    this.requests.ask(
      'cross',
      { a, b, mix, mutation },
      { ...this.telling, accepted: ({ seed }) => seed && this.state.receive(seed) },
    );
  }

  /** Asks for a name. @param refused called when the visitor may not have it */
  rename(name: string, refused: () => void): void {
    this.wishedName.want(name, (reason) => {
      this.telling.rejected(reason);
      refused();
    });
  }

  close(): void {
    this.feedback.turnOff();
    this.connection.close();
  }

  /** Puts the seed of a drawing into the hand, and says so if the drawing pad is closed. */
  receiveDrawing(seed: SeedView): void {
    this.state.receive(seed);
    if (this.state.state.sheet !== 'draw') this.page.tell(approvedText());
  }

  /** A drawing was refused; the drawing pad says so itself while it is open. */
  refuseDrawing(reason: Reason): void {
    if (this.state.state.sheet !== 'draw') this.telling.rejected(reason);
  }

  private readonly telling = {
    rejected: (reason: Reason): void => this.page.tell(reasonText(reason)),
  };

  /** Whether the room is connected; if not, shows a notice. */
  private isOnline(): boolean {
    if (!this.isLive) this.page.tell(offlineText());
    return this.isLive;
  }

  private welcomed({ checkpoint, hand, you }: Event<'welcome'>): void {
    const { model, state } = this;
    if (this.isFirstWelcome) state.holdFirst(checkpoint.gallery, Math.random);
    state.setHand(hand, Math.random);
    const { selection } = state.state;
    for (const id of [selection?.organism, selection?.second]) {
      if (id && !model.organisms.has(id)) state.forget(id);
    }
    // A keepsake link selects its seed.
    const token = new URLSearchParams(location.search).get('seed') ?? '';
    if (this.isFirstWelcome && /^[\w-]{16,2800}$/.test(token)) state.hold({ from: 'token', token });
    this.isFirstWelcome = false;
    this.previews.renew(you.id);
    document.title = `${this.roomName} · Vivarium`;
  }
}
