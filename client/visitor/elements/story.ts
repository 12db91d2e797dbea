/** What happens in the room, in sentences for who cannot see it. */
import { msg, str } from '@lit/localize';
import type { LifeEvent, OrganismView } from '../../../shared/vocabulary.ts';
import {
  departedText,
  organismName,
  type People,
  planterName,
  planterText,
  stateText,
  survivedText,
} from '../../elements/organism-text.ts';
import { number, peopleText, plural } from '../../elements/text.ts';
import type { LifeChange } from '../../net/room-model.ts';

/** Sentences told at once: more are not listened to. */
const AT_ONCE = 3;

/** What is worth telling, the most telling first. */
const RANK: readonly LifeEvent['what'][] = ['born', 'died', 'wounded', 'healed', 'grown'];

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
  const isDeparted = event.what === 'died' && event.cause === 'departed';
  if (isDeparted && organism.planter.id === people.you?.id) return departedText(organism);
  const who = label(organism, people);
  if (isDeparted) return msg(str`${who} has made room for a newcomer.`);
  if (event.what === 'died') return msg(str`${who} has died.`);
  if (event.what === 'wounded') return msg(str`${who} was wounded.`);
  return event.what === 'healed' ? msg(str`${who} has healed.`) : msg(str`${who} has grown up.`);
}

/** Everything of an organism that its card shows, in one line. */
export function portraitText(organism: OrganismView, people: People): string {
  const facts = [planterText(organism, people), stateText(organism), survivedText(organism)];
  return `${organismName(organism)}: ${facts.join(' · ')}`;
}

/** What is there when one comes in. */
export function greeting(organisms: number, people: number): string {
  const living = plural(
    organisms,
    msg(str`${number(organisms)} organism lives here.`),
    msg(str`${number(organisms)} organisms live here.`),
  );
  return `${living} ${peopleText(people)}.`;
}

/** Gathers what happens until it is told. */
export class Story {
  /** By organism and what happened to it: the same twice is told once. */
  private readonly waiting = new Map<string, LifeChange>();

  /** Whether there is something to tell. */
  get hasNews(): boolean {
    return this.waiting.size > 0;
  }

  happened(change: LifeChange): void {
    const { what } = change.event;
    if (RANK.includes(what)) this.waiting.set(`${change.organism.id} ${what}`, change);
  }

  forget(): void {
    this.waiting.clear();
  }

  /**
   * What has happened since the last time, in some sentences and its order.
   *
   * @param signed an organism with its planter as she is shown now
   * @returns says it, with the names as they are then
   */
  take(people: People, signed = (organism: OrganismView): OrganismView => organism): () => string {
    const weight = ({ event, organism }: LifeChange): number =>
      RANK.indexOf(event.what) + (organism.planter.id === people.you?.id ? 0 : RANK.length);
    const all = [...this.waiting.values()];
    this.waiting.clear();
    // What happened to her own comes before all else.
    const chosen = new Set([...all].sort((a, b) => weight(a) - weight(b)).slice(0, AT_ONCE));
    const told = all.filter((change) => chosen.has(change));
    const rest = all.length - told.length;
    return () => {
      const sentences = told.map(({ event, organism }) =>
        sentence({ event, organism: signed(organism) }, people),
      );
      if (rest > 0) {
        sentences.push(
          plural(
            rest,
            msg(str`And ${number(rest)} more thing happened.`),
            msg(str`And ${number(rest)} more things happened.`),
          ),
        );
      }
      return sentences.join(' ');
    };
  }
}
