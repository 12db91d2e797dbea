/**
 * A visit to one room: the connection, the visitor's state, and the visitor's requests to the
 * server.
 */
import { msg, str } from '@lit/localize';
import type { Rect } from '../../shared/geometry.ts';
import type { Command, SeedSource } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId, OrganismView, ParticipantId, SeedView } from '../../shared/vocabulary.ts';
import { number } from '../elements/text.ts';
import { Feedback } from '../feedback/feedback.ts';
import { EnergyEstimate } from '../input/tool-hand.ts';
import { knowKinds } from '../locale/locale.ts';
import type { Point } from '../render/camera.ts';
import { type Answers, BusyReporter, Connection } from '../room/connection.ts';
import type { LifeChange, RoomModel } from '../room/room-model.ts';
import { Previews, SeedColours } from '../room/seed-previews.ts';
import { BrowserStore, OpenPanels } from '../state/browser-store.ts';
import { InteractionState } from '../state/interaction-state.ts';
import { STROKE_RADIUS } from '../state/stroke-width.ts';
import * as texts from './text.ts';

/** The part of the visitor's page that a session uses. */
export interface SessionPage {
  requestUpdate(): void;
  /**
   * Shows the visitor a message.
   *
   * @param at position on the grid that the message is about, if any
   */
  tell(text: string, at?: Point): void;
  /** Shows the visitor a message in a fixed place, above the dock. */
  announce(text: string): void;
  /** Explains why the server does not let the visitor in. @param wayBack a button that may help */
  refuse(text: string, wayBack?: texts.WayBack): void;
  /** Whether the visitor is doing something that a moving view would interrupt. */
  readonly isBusy: boolean;
  showPlace(place: Point): void;
  /** Moves the view to an area that another participant's page shows. @param area in cells */
  match(area: Rect): void;
}

/** Returns a participant's name, or their number if they have none. */
export function participantName(
  id: ParticipantId,
  { participants }: Pick<RoomModel, 'participants'>,
): string {
  return participants.get(id)?.name || msg(str`visitor ${number(id)}`);
}

export const followingText = (...whom: Parameters<typeof participantName>): string =>
  msg(str`You see what ${participantName(...whom)} sees.`);

export const spotText = (): string => msg('The host asks everybody to look here.');

/**
 * Reasons for refusals that the visitor usually need not know. Their meanings, in this order: the
 * page has sent a message before joining, the page has not joined in time, the room has moved to
 * another server, the server is shutting down.
 */
const SILENT_REASON = /^(not-joined|join-timeout|elsewhere|shutting-down)$/;

const { radius, touchRadius } = STROKE_RADIUS;

/**
 * One of the visitor's departing organisms. The visitor can make it stay until `until`, in ms of
 * `performance.now()`.
 */
type Offer = texts.Change & { readonly until: number };

/**
 * `MAX_GONE`: maximum number of dead organisms listed. `MAX_CHANGES`: maximum number of changes
 * listed for each organism.
 */
const MAX_GONE = 12;
const MAX_CHANGES = 3;

function isFramed(): boolean {
  try {
    return window.top?.location.origin !== location.origin;
  } catch {
    return true;
  }
}

/** A visitor's session in a room. Links the model of the room with the visitor's state. */
export class RoomSession {
  readonly roomName = location.pathname.match(/^\/r\/([a-z0-9-]+)/)?.[1] ?? 'main';
  /**
   * Whether the visitor is a spectator, who sees everything but cannot act: the page was opened
   * through a view-only link, or another site shows it in a frame.
   */
  readonly watches = new URLSearchParams(location.search).get('view') === 'only' || isFramed();
  private readonly name = new BrowserStore('sessionStorage', 'vivarium name');
  readonly connection = new Connection(
    this.roomName,
    { name: this.name.read(), watches: this.watches },
    {
      // Store the seat (the place in the room) per tab, because each tab is another participant.
      seat: new BrowserStore('sessionStorage', `vivarium seat ${this.roomName}`),
      mark: new BrowserStore('localStorage', 'vivarium device'),
    },
  );
  readonly model = this.connection.model;
  readonly state = new InteractionState(
    matchMedia('(pointer: coarse)').matches ? touchRadius : radius,
  );
  private readonly water = new BrowserStore('localStorage', 'vivarium water');
  readonly requests = this.connection.requests;
  readonly previews = new Previews(this.requests.ask);
  readonly colours = new SeedColours(this.previews, this.state);
  readonly estimate = new EnergyEstimate(this.model, () => performance.now());
  readonly feedback = new Feedback(this.model);
  /** The latest changes by others to the visitor's organisms, by organism, newest first. */
  readonly affected = new Map<OrganismId, readonly texts.Change[]>();
  /** The visitor's organisms that have died during this visit, newest first. */
  gone: readonly OrganismView[] = [];
  /**
   * Organisms of the visitor that are departing or have recently departed. The visitor can renew
   * them: make them stay, or plant them again.
   */
  readonly departing = new Map<OrganismId, Offer>();
  /**
   * For each position ('x,y'): the last seed, as JSON, that this visitor used there, either to
   * plant an organism or to transform one.
   */
  private readonly made = new Map<string, string>();
  /**
   * Organisms from which the visitor has taken back the last graft. For these organisms, the button
   * that takes back a graft is hidden.
   */
  readonly settled = new Set<OrganismId>();
  /**
   * An organism of the visitor with changes that the visitor has not seen yet; 0 if there is none.
   */
  unseen: OrganismId = 0;
  /**
   * Whether the visitor's last seed was refused because another creature covers the seed's
   * position.
   */
  isOccupied = false;
  readonly busy = new BusyReporter((busy) => this.isLive && this.connection.send('busy', busy));
  readonly panels = new OpenPanels((isOpen) => this.busy.change(isOpen, performance.now()));
  /** Id of the participant whom this page follows; 0 if it follows nobody. */
  following: ParticipantId = 0;
  /** Number of participants who follow this page. */
  followers = 0;
  /**
   * The position at which the host asks everybody to look, until the visitor has seen it or
   * dismissed the notice.
   */
  spot: Point | undefined;
  /** Name of the checkpoint in the last `welcome` message; '' before the first one. */
  private checkpoint = '';

  constructor(private readonly page: SessionPage) {
    const { model, state, requests } = this;
    const refresh = (): void => page.requestUpdate();
    model.on('opened', ({ checkpoint }) => {
      knowKinds(checkpoint.gallery.map(({ name }) => name));
      document.title = `${this.roomName} · Vivarium`;
    });
    model.on('spotlight', (place) => {
      this.spot = place;
      if (page.isBusy) refresh();
      else this.goToSpot();
    });
    model.on('view', ({ participant, area }) => {
      if (participant !== this.following) return;
      if (area) page.match(area);
      else this.endFollowing('no-such-participant');
    });
    model.on('followers', ({ count }) => {
      this.followers = count;
      refresh();
    });
    if (this.watches) state.take('look');
    state.update({ still: this.water.read() === 'still' });
    state.onChange(() => {
      if (state.state.selection?.organism === this.unseen) this.unseen = 0;
      refresh();
    });
    for (const event of ['people', 'pace', 'waiting', 'energy'] as const) model.on(event, refresh);
    // Update the names in the list of changes, because names may have been changed or hidden.
    model.on('people', () => {
      for (const [id, changes] of this.affected) {
        const current = changes.map((change) => ({
          ...change,
          by: model.participants.get(change.by.id) ?? change.by,
        }));
        this.affected.set(id, current);
      }
    });
    model.on('settings', ({ maxRadius, names, tokens, ...offer }) => {
      refresh();
      if (model.checkpoint) state.follow(model.checkpoint, Math.random, offer);
      state.setWidest(maxRadius);
      if (!names) this.affected.clear();
      if (tokens || state.state.held.from !== 'token') return;
      state.throwDice(Math.random);
      page.tell(texts.reasonText('no-tokens'));
    });
    model.on('notice', ({ notice }) => page.tell(texts.noticeText(notice)));
    model.on('life', (change) => this.trackLife(change));
    model.on('affected', ({ organisms }) => this.reportChanges(organisms));
    this.connection.unasked = {
      // If no request waits for an accepted drawing, the drawing was probably sent before the page
      // was reloaded.
      accepted: ({ seed }) => seed?.origin === 'drawing' && this.receiveDrawing(seed),
      rejected: (answer) => this.reportRefusal(answer),
    };
    this.connection.unreached = () => page.refuse(texts.offlineText());
    model.on('welcome', (welcome) => this.welcomed(welcome));
    const { dataset } = document.documentElement;
    dataset.connection = model.connection;
    model.on('connection', () => {
      dataset.connection = model.connection;
      if (model.connection === 'reconnecting' && requests.isWaiting) page.tell(texts.offlineText());
      refresh();
    });
  }

  /** Stops or starts the moving water, and remembers the choice on this device. */
  stillWater(still: boolean): void {
    this.water.write(still ? 'still' : '');
    this.state.update({ still });
  }

  /** The visitor's living organisms, oldest first. */
  get mine(): readonly OrganismView[] {
    const { you, organisms } = this.model;
    return [...organisms.values()].filter(({ planter }) => planter.id === you?.id);
  }

  get isLive(): boolean {
    return this.model.connection === 'live';
  }

  /** Whether the room's creatures can be grafted; true until the page knows the checkpoint. */
  get canGraft(): boolean {
    const { checkpoint } = this.model;
    return !checkpoint || checkpoint.transforms === true;
  }

  /** Explains why visitors cannot act at the moment; '' if they can. */
  get pause(): string {
    const { paused, farewell } = this.model.settings ?? {};
    if (farewell) return texts.goodbyeText();
    return paused ? texts.reasonText('paused') : '';
  }

  whyNot(reason: Reason): string {
    return (reason === 'paused' && this.pause) || texts.reasonText(reason);
  }

  /**
   * Tells the server where the visitor's pointer is.
   *
   * @param place position in cells; undefined if the pointer has left the canvas
   */
  pointAt(place: Point | undefined): void {
    const { tool } = this.state.state;
    if (!this.watches) this.connection.send('cursor', { ...place, tool });
  }

  beacon(organism: OrganismView): void {
    this.act('beacon', { organism: organism.id });
  }

  report({ id: organism }: OrganismView): void {
    const thank = (): void =>
      this.page.tell(msg('Thank you. The host will look at this creature.'));
    this.act('report', { organism }, thank);
  }

  /**
   * Renews one of the visitor's organisms: makes it stay or, if it has already departed, plants it
   * again.
   */
  renew(organism: OrganismId): void {
    if (!this.isOnline()) return;
    const offer = this.departing.get(organism);
    this.dismiss(organism);
    const rejected = (reason: Reason): void => {
      this.telling.rejected(reason);
      if (!offer || reason === 'no-such-organism') return;
      this.offer(offer);
      this.page.requestUpdate();
    };
    this.requests.ask('renew', { organism }, { rejected });
  }

  /**
   * Transforms an organism into the creature of the selected seed, starting where the visitor has
   * touched the organism.
   */
  transform(organism: OrganismView): void {
    const { held: seed, selection } = this.state.state;
    const at = selection?.organism === organism.id ? selection.at : undefined;
    const command = { organism: organism.id, seed, ...(at && { at }) };
    this.act('transform', command, () => this.sown(organism, seed));
  }

  /**
   * Takes back grafts onto an organism.
   *
   * @param foreign true: all grafts by other people; false: this visitor's last graft
   */
  ungraft({ id: organism }: OrganismView, foreign: boolean): void {
    this.act('ungraft', { organism, ...(foreign && { foreign }) }, () => {
      if (!foreign) this.settled.add(organism);
    });
  }

  setOccupied(isOccupied: boolean): void {
    this.isOccupied = isOccupied;
    this.page.requestUpdate();
  }

  /** Records that the server has accepted a seed at a position on the grid. */
  sown({ x, y }: Point, seed: SeedSource): void {
    this.isOccupied = false;
    this.made.set(`${[x, y]}`, JSON.stringify(seed));
    this.state.sown(Math.random);
  }

  /**
   * Returns whether an organism is already the creature that grows from the selected seed. If the
   * page does not know, returns false.
   */
  isHeld({ kind, parts, x, y }: OrganismView): boolean {
    const { held } = this.state.state;
    if (parts) return false;
    if (held.from === 'gallery') return this.model.checkpoint?.gallery[held.index]?.name === kind;
    return this.made.get(`${[x, y]}`) === JSON.stringify(held);
  }

  /** Removes the notice that offers to renew an organism. */
  dismiss(organism: OrganismId): void {
    this.departing.delete(organism);
    this.page.requestUpdate();
  }

  /** Requests a seed that is a cross of the two selected organisms. */
  makeSeed(): void {
    const { selection } = this.state.state;
    if (!selection?.second) return;
    const { organism: a, second: b, mix, mutation } = selection;
    const take = ({ seed }: Event<'accepted'>) => seed && this.hold(seed);
    this.act('cross', { a, b, mix, mutation }, take);
  }

  /** Asks the server to change the visitor's name. @param refused called if the server refuses */
  rename(name: string, refused: () => void): void {
    const accepted = (): void => {
      this.connection.who.name = name;
      this.name.write(name);
    };
    const rejected = (reason: Reason): void => {
      this.telling.rejected(reason);
      refused();
    };
    this.requests.ask('name', { name }, { accepted, rejected });
  }

  /** Moves the view to the position at which the host has asked everybody to look. */
  goToSpot(): void {
    const { spot, page } = this;
    this.stopFollowing(true);
    if (!spot) return;
    page.showPlace(spot);
    page.announce(spotText());
  }

  /** Follows a participant's view until this visitor moves the view. */
  follow(participant: ParticipantId): void {
    this.following = participant;
    this.requests.ask(
      'follow',
      { participant },
      { rejected: (reason) => this.endFollowing(reason) },
    );
    this.page.requestUpdate();
  }

  /**
   * Stops following another participant's view.
   *
   * @param isDismissed whether to also hide the host's notice that asks everybody to look somewhere
   */
  stopFollowing(isDismissed = false): void {
    if (isDismissed) this.spot = undefined;
    else if (!this.following) return;
    if (this.following) this.requests.ask('follow', {});
    this.endFollowing();
  }

  private endFollowing(reason?: Reason): void {
    this.following = 0;
    if (reason) this.page.tell(texts.reasonText(reason));
    this.page.requestUpdate();
  }

  /**
   * Selects the seed made from the visitor's drawing. If the drawing pad is closed, tells the
   * visitor that the drawing was approved.
   */
  receiveDrawing(seed: SeedView): void {
    this.hold(seed);
    if (this.state.state.sheet !== 'draw') this.page.tell(texts.approvedText());
  }

  private hold({ id }: SeedView): void {
    this.state.hold({ from: 'hand', seed: id });
  }

  /** If the drawing pad is closed, tells the visitor why a drawing was refused. */
  refuseDrawing(reason: Reason): void {
    if (this.state.state.sheet !== 'draw') this.telling.rejected(reason);
  }

  /** Shows the offer to make a departing organism stay, until the offer expires. */
  private offer(offer: Offer): void {
    const { id, until } = offer;
    this.departing.set(id, offer);
    const end = (): unknown => this.departing.get(id) === offer && this.dismiss(id);
    setTimeout(end, until - performance.now());
  }

  private readonly telling = {
    rejected: (reason: Reason): void => this.page.tell(this.whyNot(reason)),
  };

  /**
   * Sends a command. If there is no connection or the server refuses the command, tells the
   * visitor.
   */
  private act<N extends 'beacon' | 'report' | 'transform' | 'ungraft' | 'cross'>(
    name: N,
    command: Omit<Command<N>, 'id'>,
    accepted: Answers['accepted'] = () => {},
  ): void {
    if (this.isOnline()) this.requests.ask(name, command, { ...this.telling, accepted });
  }

  /** Returns whether the room is connected. If not, tells the visitor. */
  private isOnline(): boolean {
    if (!this.isLive) this.page.tell(texts.offlineText());
    return this.isLive;
  }

  private trackLife({ event, organism }: LifeChange): void {
    const { model, state } = this;
    const isMine = organism.planter.id === model.you?.id;
    if (event.what === 'died') {
      state.forget(organism.id);
      if (isMine) this.gone = [organism, ...this.gone].slice(0, MAX_GONE);
      this.forgetAffected();
      if (event.cause !== 'departed') this.departing.delete(organism.id);
      if (this.unseen === organism.id) this.unseen = 0;
    }
    if (event.what === 'renewed') this.departing.delete(event.id);
    if (event.what === 'transformed' || event.what === 'grafted') this.previews.outdate(event.id);
    const isOwn = 'by' in event && event.by === model.you?.id;
    if (event.what === 'grafted' && isOwn && event.kind !== undefined)
      this.settled.delete(event.id);
    if ((event.what === 'transformed' && !isOwn) || event.what === 'died') {
      this.made.delete(`${[organism.x, organism.y]}`);
    }
    if (state.state.selection || isMine) this.page.requestUpdate();
  }

  /**
   * Tells the visitor about changes to their organisms, and offers to make departing organisms
   * stay.
   */
  private reportChanges(organisms: readonly texts.Change[]): void {
    const { model, state, page } = this;
    this.feedback.affected();
    const changes = organisms.filter((one) => one.how !== 'departing');
    for (const one of organisms) {
      if (one.how !== 'departing') continue;
      this.offer({ ...one, until: performance.now() + 1000 * (one.secondsLeft ?? 0) });
    }
    page.requestUpdate();
    if (changes.length === 0) return;
    const living = changes.filter(({ id }) => model.organisms.has(id));
    for (const change of changes) {
      const earlier = this.affected.get(change.id) ?? [];
      this.affected.set(change.id, [change, ...earlier].slice(0, MAX_CHANGES));
    }
    const shown = state.state.selection?.organism;
    this.unseen = living.find(({ id }) => id !== shown)?.id ?? 0;
    // Show the text at the organism's upper edge, so that it does not hide what has changed.
    const about = model.organisms.get(living[0]?.id);
    const at = about && { x: about.x, y: about.y - about.side / 2 };
    page.tell(texts.affectedText(changes, model), at);
  }

  /** Tells the visitor about a refusal that no request has handled. */
  private reportRefusal({ id, reason }: Event<'rejected'>): void {
    const { page } = this;
    const text = texts.reasonText(reason);
    const isSilent = SILENT_REASON.test(reason);
    if (!this.isLive) {
      if (!isSilent) page.refuse(text, texts.wayBack(reason));
      // While the page is connected, show a silent reason only if it refuses a request (which has
      // an `id`), or if the server is shutting down.
    } else if (!isSilent || id || reason === 'shutting-down') page.tell(text);
  }

  /** Forgets changes of organisms that are neither alive nor in `gone`, the list of the dead. */
  private forgetAffected(): void {
    for (const id of this.affected.keys()) {
      const isListed = this.model.organisms.has(id) || this.gone.some((one) => one.id === id);
      if (!isListed) this.affected.delete(id);
    }
  }

  private welcomed({ checkpoint, hand, you }: Event<'welcome'>): void {
    const { model, state } = this;
    this.following = this.followers = 0;
    const isNew = checkpoint.name !== this.checkpoint;
    // If the room uses another checkpoint now, reload the page: its pictures and previews are
    // outdated.
    if (isNew && this.checkpoint) location.reload();
    if (isNew) state.holdFirst(checkpoint, Math.random);
    state.keepTo(hand, Math.random);
    // Clear the offers to renew organisms, because the server sends them again after `welcome`.
    this.departing.clear();
    // Forget which seeds were used where: while this page was disconnected, others may have
    // transformed the organisms.
    this.made.clear();
    this.gone = this.gone.filter(({ id }) => !model.organisms.has(id));
    this.forgetAffected();
    const { selection } = state.state;
    for (const id of [selection?.organism, selection?.second]) {
      if (id && !model.organisms.has(id)) state.forget(id);
    }
    // If the page was opened through a keepsake link, select its seed.
    const token = new URLSearchParams(location.search).get('seed') ?? '';
    if (isNew && /^[\w-]{8,12000}$/.test(token)) state.hold({ from: 'token', token });
    this.checkpoint = checkpoint.name;
    this.previews.renew(you.id);
  }
}
