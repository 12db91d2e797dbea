/** Describes the room's events in sentences, for screen readers. */
import { msg, str } from '@lit/localize';
import type { LifeEvent, OrganismView } from '../../../shared/vocabulary.ts';
import {
  type People,
  planterName,
  planterText,
  stateText,
  survivedText,
} from '../../elements/organism-text.ts';
import { furtherEvents, number, organismName, peopleText, plural } from '../../elements/text.ts';
import type { LifeChange, RoomModel } from '../../net/room-model.ts';

/** The people of the room, and its organisms as shown now. */
type Room = People & Pick<RoomModel, 'organisms'>;

/** Most sentences in one announcement; longer ones are not listened to. */
const MAX_SENTENCES = 3;

/** The events that are announced, the most important first. */
const RANK: readonly LifeEvent['what'][] = [
  'born',
  'died',
  'transformed',
  'wounded',
  'healed',
  'grown',
  'renewed',
  'departing',
];

/** 'penguin (planted by Ada)' */
function label(organism: OrganismView, people: People): string {
  return `${organismName(organism)} (${planterText(organism, people)})`;
}

function sentence({ event, organism }: LifeChange, people: People): string {
  if (event.what === 'born') {
    const name = organismName(organism);
    const planter = planterName(organism, people);
    if (organism.planter.id === people.you?.id) return msg(str`You planted a seed: ${name}.`);
    if (planter === '') return msg(str`Somebody planted a seed: ${name}.`);
    return msg(str`${planter} planted a seed: ${name}.`);
  }
  const who = label(organism, people);
  if (event.what === 'died') {
    return event.cause === 'departed' ? msg(str`${who} has left.`) : msg(str`${who} has died.`);
  }
  if (event.what === 'transformed') {
    const before = label({ ...organism, kind: organism.was?.at(-1) ?? '' }, people);
    return msg(str`${before} turns into this: ${organismName(organism)}.`);
  }
  if (event.what === 'wounded') return msg(str`${who} was wounded.`);
  if (event.what === 'departing') return msg(str`${who} is leaving.`);
  if (event.what === 'renewed') return msg(str`${who} stays.`);
  return event.what === 'healed' ? msg(str`${who} has healed.`) : msg(str`${who} has grown up.`);
}

/** The organism as it was at an event, with its planter as shown now. */
function withCurrentPlanter(organism: OrganismView, { organisms }: Room): OrganismView {
  const { planter } = organisms.get(organism.id) ?? organism;
  return { ...organism, planter };
}

/** The facts of an organism's card in one line. */
export function portraitText(organism: OrganismView, room: Room): string {
  const facts = [
    planterText(withCurrentPlanter(organism, room), room),
    stateText(organism),
    survivedText(organism),
  ];
  return `${organismName(organism)}: ${facts.filter(Boolean).join(' · ')}`;
}

/** The number of organisms and people, announced on joining. */
export function greeting(organisms: number, people: number): string {
  const living = plural(
    organisms,
    msg(str`${number(organisms)} organism lives here.`),
    msg(str`${number(organisms)} organisms live here.`),
  );
  return `${living} ${peopleText(people)}.`;
}

/** Collects events and turns the most important ones into an announcement. */
export class Story {
  /** Keyed by organism and event type, so that a repeated event is announced once. */
  private readonly pending = new Map<string, LifeChange>();

  /** Whether there are events to announce. */
  get hasNews(): boolean {
    return this.pending.size > 0;
  }

  /** Adds an event. */
  happened(change: LifeChange): void {
    const { what } = change.event;
    const { id } = change.organism;
    // What has become of it is told instead.
    if (what === 'renewed' || what === 'died') this.pending.delete(`${id} departing`);
    if (RANK.includes(what)) this.pending.set(`${id} ${what}`, change);
  }

  /** Drops all collected events. */
  forget(): void {
    this.pending.clear();
  }

  /**
   * Takes the collected events: the most important ones in order, and a count of the others.
   *
   * @returns builds the text, with the names current at the call
   */
  take(room: Room): () => string {
    const weight = ({ event, organism }: LifeChange): number =>
      RANK.indexOf(event.what) + (organism.planter.id === room.you?.id ? 0 : RANK.length);
    const all = [...this.pending.values()];
    this.pending.clear();
    // The reader's own organisms come first.
    const chosen = new Set([...all].sort((a, b) => weight(a) - weight(b)).slice(0, MAX_SENTENCES));
    const announced = all.filter((change) => chosen.has(change));
    const rest = all.length - announced.length;
    return () => {
      const sentences = announced.map(({ event, organism }) =>
        sentence({ event, organism: withCurrentPlanter(organism, room) }, room),
      );
      if (rest > 0) sentences.push(furtherEvents(rest));
      return sentences.join(' ');
    };
  }
}
