/** The host: real HTTP calls without a browser, decisions that must survive, and ways around the host's page. */

import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import * as v from 'valibot';
import {
  API,
  CALLS,
  type CallAnswer,
  type CallBody,
  type CallName,
  FILES,
  KEY_HEADER,
  pathOf,
} from '../../shared/host/api.ts';
import { type RefusalState, refusal } from '../../shared/host/state.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { Visitor } from './visitor.ts';

/** The server refused a call. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly refusal: RefusalState,
  ) {
    super(`${status} ${refusal.reason} ${refusal.detail ?? ''}`);
  }

  get reason(): string {
    return this.refusal.reason;
  }
}

/** Keeps the session of one host. */
export class HostClient {
  cookie = '';
  key = '';

  /** @param headers sent with each call */
  constructor(
    readonly port: number,
    readonly headers: Record<string, string> = {},
  ) {}

  /** Signs in with the host token. */
  static async login(port: number, token: string): Promise<HostClient> {
    const client = new HostClient(port);
    await client.call('login', { token });
    return client;
  }

  /**
   * Makes a call. If it is for a room, the room is `garden`. If no server runs the room, repeats
   * the call: on a busy machine, a server of a cluster may lose a room for a moment.
   *
   * @throws Refused
   */
  async call<N extends CallName>(
    name: N,
    body: Partial<CallBody<N>> | Record<string, unknown> = {},
    parts: Record<string, string | number> = {},
  ): Promise<CallAnswer<N>> {
    const { method, path, answer } = CALLS[name];
    const response = await this.fetch(pathOf(path, { room: 'garden', ...parts }), {
      method,
      ...(method !== 'GET' && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const json: unknown = await response.json();
    if (!response.ok) {
      const refused = new Refused(response.status, v.parse(refusal, json));
      if (refused.reason !== 'elsewhere') throw refused;
      await pause(50);
      return this.call(name, body, parts);
    }
    const [cookie] = response.headers.getSetCookie();
    if (cookie) this.cookie = cookie.split(';')[0];
    const parsed = v.parse(answer as v.GenericSchema<unknown, CallAnswer<N>>, json);
    if (name === 'login') this.key = (parsed as CallAnswer<'login'>).key;
    return parsed;
  }

  /** The reason why a call is refused. @throws Error if it is not */
  async refusal<N extends CallName>(
    name: N,
    body: Record<string, unknown> = {},
    parts: Record<string, string | number> = {},
  ): Promise<string> {
    try {
      await this.call(name, body, parts);
    } catch (error) {
      if (error instanceof Refused) return error.reason;
      throw error;
    }
    throw new Error(`${name} was not refused`);
  }

  /** @param path with or without the prefix of the API */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = path.startsWith(API) ? path : API + path;
    return fetch(`http://127.0.0.1:${this.port}${url}`, {
      ...init,
      headers: {
        // On a busy machine, the server may end an idle connection just when it is used again.
        connection: 'close',
        ...(this.cookie && { cookie: this.cookie }),
        ...(this.key && { [KEY_HEADER]: this.key }),
        ...this.headers,
        ...(init.headers as Record<string, string>),
      },
    });
  }
}

/** A visitor who comes in by a resume token, or new. */
export type Enter = (resume?: string) => Promise<Visitor>;

/** What is found again. */
export interface HostDecisions {
  readonly token: string;
  /** Who has an approved drawing in hand, whose drawing waits, and who is muted, by resume token. */
  readonly people: readonly string[];
  /** Id of the seed in the first one's hand. */
  readonly seed: number;
  readonly lists: unknown;
  readonly picture: Buffer;
}

const PIXELS = new Uint8Array(32 * 32 * 4).fill(200);

/** The lists of the host's page, but for their times. */
async function listsOf(host: HostClient): Promise<unknown> {
  const { drawings, reports } = await host.call('room');
  return [...drawings, ...reports].map(({ waited: _, ...one }) => one);
}

async function pictureOf(host: HostClient, organism: number): Promise<Buffer> {
  const answer = await host.fetch(pathOf(FILES.organism, { room: 'garden', organism }));
  return Buffer.from(await answer.arrayBuffer());
}

/** A drawing approved, another one that waits, a visitor muted, and their organism reported. */
export async function decideAsHost(
  port: number,
  token: string,
  enter: Enter,
): Promise<HostDecisions> {
  const host = await HostClient.login(port, token);
  const people = [await enter(), await enter(), await enter()];
  const [ada, bo, cy] = people;
  await host.call('changeSettings', { drawings: 'ask', curation: { hidden: [2] } });
  const waiting = async (): Promise<number> => {
    const [first] = (await host.call('room')).drawings;
    if (first) return first.id;
    await pause(20);
    return waiting();
  };
  const drawn = ada.ask('draw', { pixels: PIXELS });
  await host.call('decideDrawing', { approve: true }, { drawing: await waiting() });
  const { seed } = (await drawn) as Event<'accepted'>;
  void bo.ask('draw', { pixels: PIXELS });
  await waiting();
  const organism = await cy.grow(30, 30);
  const reported = await bo.ask('report', { organism });
  if ('reason' in reported) throw new Error(`a report was refused: ${reported.reason}`);
  await host.call('mute', { participant: cy.welcome!.you.id, muted: true });
  const [lists, picture] = [await listsOf(host), await pictureOf(host, organism)];
  for (const one of people) one.leave();
  return {
    ...{ token, lists, picture, seed: seed!.id },
    people: people.map(({ welcome }) => welcome!.resume),
  };
}

/** Proves that all of that is still so, perhaps on another server, and then undoes it. */
export async function expectDecided(
  port: number,
  { token, people, seed, lists, picture }: HostDecisions,
  enter: Enter,
): Promise<void> {
  const host = await HostClient.login(port, token);
  const [ada, bo, cy] = [await enter(people[0]), await enter(people[1]), await enter(people[2])];
  expect(await listsOf(host)).toEqual(lists);
  const { drawings, reports, visitors } = await host.call('room');
  expect(visitors.filter(({ muted }) => muted).map(({ id }) => id)).toEqual([cy.welcome!.you.id]);
  expect(await pictureOf(host, reports[0].organism)).toEqual(picture);
  const plant = (visitor: Visitor, y: number, one: object) =>
    visitor.ask('plant', { x: 70, y, seed: one });
  const fromGallery = { from: 'gallery', index: 1 };
  expect(await plant(cy, 30, fromGallery)).toMatchObject({ reason: 'muted' });
  const hidden = { from: 'gallery', index: 2 };
  expect(await plant(ada, 30, hidden)).toMatchObject({ reason: 'seed-hidden' });
  expect(await plant(ada, 30, { from: 'hand', seed })).not.toHaveProperty('reason');

  await host.call('decideDrawing', { approve: true }, { drawing: drawings[0].id });
  const given = await bo.next(
    ({ name, message }) => name === 'accepted' && (message as Event<'accepted'>).seed !== undefined,
  );
  const { id } = (given as Event<'accepted'>).seed!;
  expect(await plant(bo, 70, { from: 'hand', seed: id })).not.toHaveProperty('reason');
  await host.call('dismissReport', { organism: reports[0].organism });
  await host.call('mute', { participant: cy.welcome!.you.id, muted: false });
  expect(await listsOf(host)).toEqual([]);
  expect(await plant(cy, 30, fromGallery)).not.toMatchObject({ reason: 'muted' });
  for (const one of [ada, bo, cy]) one.leave();
}

interface LiveElement extends HTMLElement {
  readonly model?: {
    readonly connection: string;
    readonly planes: { readonly owner: Uint32Array } | undefined;
  };
  worldToScreen(x: number, y: number): { x: number; y: number };
}

/** Signs in and waits for the sections. */
export async function signIn(page: Page, port: number, token: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/host`);
  await page.getByTestId('token').fill(token);
  await page.getByTestId('token').press('Enter');
  await page.getByTestId('leave').first().waitFor({ state: 'attached' });
}

/** Opens a section. @param section its id in `client/host/navigation.ts` */
export async function goTo(page: Page, section: string, room = 'garden'): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${room}/${section}`);
  await page.locator(`.page[data-section="${section}"]`).waitFor();
}

/** Waits until the live picture shows the room with at least that many organisms. */
export async function liveShows(page: Page, organisms = 0): Promise<void> {
  const canvas = await page.getByTestId('live').elementHandle();
  await page.waitForFunction(
    ([element, wanted]) => {
      const { model } = (element!.getRootNode() as ShadowRoot).host as LiveElement;
      if (model?.connection !== 'live' || !model.planes) return false;
      return new Set(model.planes.owner).size - 1 >= wanted;
    },
    [canvas, organisms] as const,
  );
}

/** Converts grid coordinates of the live picture to CSS pixels of the window. */
export async function liveScreenOf(
  page: Page,
  x: number,
  y: number,
): Promise<{ x: number; y: number }> {
  return page.getByTestId('live').evaluate(
    (canvas, [px, py]) => {
      const { host } = canvas.getRootNode() as ShadowRoot;
      const point = (host as LiveElement).worldToScreen(px!, py!);
      const { left, top } = host.getBoundingClientRect();
      return { x: left + point.x, y: top + point.y };
    },
    [x, y],
  );
}
