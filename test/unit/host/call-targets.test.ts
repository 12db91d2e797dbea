/** Which server of a cluster does what the host asks for. */
import { isTarget, targetOf } from '../../../server/host/serve-calls.ts';

/** @param owns whether this server runs the room `garden` */
function server(name: string, owns: boolean) {
  const cluster = {
    name,
    knows: (other: string) => other !== 'gone',
    filmsElsewhere: new Map([['maker', [{ id: 'their film' }]]]),
    roomServers: new Map(owns ? [['garden', {}]] : []),
    isElsewhere: (room: string) => !owns && room === 'garden',
    ledElsewhere: () => (owns ? undefined : 'garden'),
  };
  return { cluster, films: { states: [{ id: 'own film' }] } } as never;
}
const [owner, gateway] = [server('owner', true), server('gateway', false)];
const alone = { cluster: undefined, films: { states: [] } };

test.each([
  ['a call for a room goes where that runs', 'undo', { room: 'garden' }, { room: 'garden' }],
  ['so does a file', undefined, { room: 'garden' }, { room: 'garden' }],
  ['a server that runs rooms creates one', 'createRoom', {}, { room: 'garden' }],
  ['or opens one that nobody runs', 'openRoom', { room: 'new' }, { room: 'garden' }],
  ['the named server is drained', 'drain', { server: 'owner' }, { server: 'owner' }],
  ['a film is with its maker', undefined, { job: 'their film' }, { server: 'maker' }],
] as const)('%s', (_, call, parts, target) => {
  expect(targetOf(gateway, parts, call)).toEqual(target);
  expect(targetOf(alone, parts, call)).toBeUndefined();
});

test('what is for this server is done here', () => {
  const parts = [{ server: 'gateway' }, { job: 'own film' }, { room: 'unknown' }, {}];
  for (const one of parts) expect(targetOf(gateway, one, 'drain')).toBeUndefined();
  for (const call of ['undo', 'createRoom'] as const) {
    expect(targetOf(owner, { room: 'garden' }, call)).toBeUndefined();
  }
  expect(() => targetOf(gateway, { server: 'gone' }, 'drain')).toThrow('no-such-server');
});

test('a server answers for its name and for the rooms that it runs', () => {
  const answers = (one: never) =>
    [{ server: 'owner' }, { room: 'garden' }, { room: 'attic' }].map((target) =>
      isTarget(target, (one as { cluster: never }).cluster),
    );
  expect(answers(owner)).toEqual([true, true, false]);
  expect(answers(gateway)).toEqual([false, false, false]);
});
