/** The model of the host's page: its session, and the state that it fetches. */
import { type HostApi, HostModel } from '../../../client/host/host-model.ts';
import { HostRefusal } from '../../../shared/host/reasons.ts';

type Answers = Readonly<Record<string, () => unknown>>;

// The model asks whether the page is hidden.
Object.assign(globalThis, { document: { hidden: true } });

/** A model that is signed in, and what it has shown. @param answers may change between calls */
async function signedIn(answers: Record<string, () => unknown>) {
  const shown: string[] = [];
  const api = {
    key: '',
    touched: false,
    call: async (name: string) => (answers as Answers)[name]!(),
  } as unknown as HostApi;
  const model = new HostModel(api);
  model.show = ({ text }) => void shown.push(text);
  answers.session ??= () => ({ key: 'key', until: 0 });
  await model.start();
  model.stop();
  return { model, shown };
}

const summary = { name: 'garden', open: true, busy: null };
const state = () => ({ rooms: [summary] });
const detail = { ...summary, visitors: [{ id: 1 }], drawings: [], reports: [{ organism: 3 }] };
const room = () => detail;

const refuse = (reason: 'no-session' | 'elsewhere') => () => {
  throw new HostRefusal(reason);
};
const fail = () => {
  throw new Error('no answer');
};

test('signing out ends the session only if the server says so, or if there is none', async () => {
  const answers = { state, room, logout: fail as () => unknown };
  const { model, shown } = await signedIn(answers);
  await model.signOut();
  expect([model.signedIn, model.reachable]).toEqual([true, false]);
  expect(shown).toEqual([expect.stringMatching(/^You are still signed in\. The server does not/)]);
  answers.logout = () => ({});
  await model.signOut();
  expect([model.signedIn, model.signOutReason]).toEqual([false, '']);

  const ended = await signedIn({ state, room, logout: refuse('no-session') });
  await ended.model.signOut();
  expect([ended.model.signedIn, ended.model.signOutReason]).toEqual([false, '']);
  expect(ended.shown).toEqual([]);
});

test('a page without a session asks to sign in, and does not say that one has ended', async () => {
  const { model } = await signedIn({ session: refuse('no-session') });
  expect([model.signedIn, model.signOutReason]).toEqual([false, '']);
});

test('while a room is busy, who is there stays listed', async () => {
  const answers = { state, room: room as () => unknown };
  const { model } = await signedIn(answers);
  answers.room = () => ({ ...detail, busy: 'undoing', visitors: [], reports: [] });
  await model.refresh();
  expect(model.detail).toMatchObject({ ...detail, busy: 'undoing' });
  answers.room = () => ({ ...detail, visitors: [], reports: [] });
  await model.refresh();
  expect(model.detail!.visitors).toEqual([]);
  model.stop();
});

test('a room whose server is away is told apart from a server that does not answer', async () => {
  const answers = { state, room: room as () => unknown };
  const { model } = await signedIn(answers);
  answers.room = refuse('elsewhere');
  await model.refresh();
  expect([model.reachable, model.detail]).toEqual([true, undefined]);
  expect(model.detailRefused).toMatch(/^The server that runs this room does not answer/);
  answers.room = room;
  await model.refresh();
  expect([model.detail?.name, model.detailRefused]).toEqual(['garden', '']);
  answers.room = refuse('no-session');
  await model.refresh();
  expect(model.signedIn).toBe(false);
  model.stop();
});
